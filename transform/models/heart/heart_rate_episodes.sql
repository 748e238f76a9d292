-- heart_rate_episodes: one row per time in which a person's heart rate stayed beyond a limit while the person was still.
--
-- grain:    user_id, local_date, started_at, limit_kind
-- inputs:   stg_day_samples, workouts, definitions
-- build:    table
-- go:       heart_rate_episodes
-- order:    none
-- output:   user_id varchar: person
-- output:   local_date date: the person's date when it began
-- output:   started_at timestamp with time zone: UTC
-- output:   limit_kind varchar: high or low
-- output:   ended_at timestamp with time zone: UTC, end of the last minute beyond the limit
-- output:   duration_min integer: min from start to end
-- output:   measured_min integer: min of them with heart rate
-- output:   limit_bpm double: beats/min, the limit that held, the nearer one when it changed
-- output:   heart_rate_mean_bpm double: beats/min, mean over the measured minutes
-- output:   heart_rate_extreme_bpm double: beats/min, mean of the minute furthest beyond the limit
-- source:   at least 10 minutes above 120, or below 40 (35 when no step in half an hour says that the person is awake), of
--           which 80 % were measured, all of them and the 5 min before covered by counts of no step, and no workout in them;
--           what begins within 30 min of the last belongs to it (methods 2.5, product rule H8)
-- audit:    limit_kind in ('high', 'low')
-- audit:    started_at < ended_at
-- audit:    duration_min >= 10
-- audit:    measured_min between 1 and duration_min
-- audit:    limit_kind = 'low' or heart_rate_mean_bpm > limit_bpm
-- audit:    limit_kind = 'high' or heart_rate_mean_bpm < limit_bpm
-- caution:  a fact about a heart rate and nothing more: excitement, warmth, a meal, training and sitting on a bicycle do it
--           too; where steps were not counted nobody knows who was still, so that a watch that leaves out its zeros, or counts
--           only from time to time, has none; an episode ends at midnight, and so does a workout here; of the 5 min after
--           midnight the steps before are not known
-- method:   heart_rate_episodes/1

with

rules as (

    select
        max(case when name = 'heart_rate_high_bpm' then value end) as high_bpm,
        max(case when name = 'heart_rate_low_bpm' then value end) as low_bpm,
        max(case when name = 'heart_rate_low_asleep_bpm' then value end) as low_asleep_bpm,
        max(case when name = 'heart_rate_episode_awake_min' then value end) as awake_min,
        max(case when name = 'heart_rate_episode_min' then value end) as episode_min,
        max(case when name = 'heart_rate_episode_measured_pct' then value end) as measured_pct,
        max(case when name = 'heart_rate_episode_hole_min' then value end) as hole_min,
        max(case when name = 'heart_rate_episode_still_min' then value end) as still_min,
        max(case when name = 'heart_rate_episode_rearm_min' then value end) as rearm_min

    from definitions

),

-- A workout ends with the minute it ends in, and the five after it: the heart needs them to come down.
times_of_workouts as (

    select
        workouts.user_id,
        workouts.local_date,
        array_agg(cast(
            date_diff('minute', timestamptz '1970-01-01 00:00:00+00', workouts.start_at) as integer
        )) as workout_from_minutes,
        array_agg(cast(
            date_diff('minute', timestamptz '1970-01-01 00:00:00+00', workouts.end_at) + 1 + rules.still_min as integer
        )) as workout_until_minutes

    from workouts
    cross join rules

    group by workouts.user_id, workouts.local_date

),

dates as (

    select
        stg_day_samples.user_id,
        stg_day_samples.local_date,
        stg_day_samples.heart_rate_minutes,
        stg_day_samples.heart_rate_sums_bpm,
        stg_day_samples.heart_rate_sample_counts,
        stg_day_samples.step_minutes,
        stg_day_samples.step_counts,
        times_of_workouts.workout_from_minutes,
        times_of_workouts.workout_until_minutes,
        rules.*

    from stg_day_samples
    inner join dirty_days
        on stg_day_samples.user_id = dirty_days.user_id
        and stg_day_samples.local_date = dirty_days.local_date
    left join times_of_workouts
        on stg_day_samples.user_id = times_of_workouts.user_id
        and stg_day_samples.local_date = times_of_workouts.local_date
    cross join rules

    where
        stg_day_samples.heart_rate_minutes is not null
        and stg_day_samples.step_minutes is not null

)

select * from dates
