-- heart_rate_episodes: one row per time in which a person's heart rate stayed beyond a limit while the person was still.
--
-- grain:    user_id, local_date, started_at, limit_kind
-- inputs:   stg_minutes, activity_days, workouts, definitions
-- build:    table
-- source:   at least 10 minutes above 120, or below 40 (35 when no step in half an hour says that the person is awake), of
--           which 80 % were measured, without a step or a workout in them or in the 5 min before; what begins within 30 min
--           of the last belongs to it (methods 2.5, product rule H8)
-- audit:    limit_kind in ('high', 'low')
-- audit:    started_at < ended_at
-- audit:    duration_min >= 10
-- audit:    measured_min between 1 and duration_min
-- audit:    limit_kind = 'low' or heart_rate_mean_bpm > limit_bpm
-- audit:    limit_kind = 'high' or heart_rate_mean_bpm < limit_bpm
-- caution:  a fact about a heart rate and nothing more: excitement, warmth, a meal, training and sitting on a bicycle do it
--           too; only dates with step samples are looked at, for without them nobody knows who was still; an episode ends at
--           midnight, and so does a workout here
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
        date_diff('minute', timestamptz '1970-01-01 00:00:00+00', workouts.start_at) as first_minute,
        date_diff('minute', timestamptz '1970-01-01 00:00:00+00', workouts.end_at) + 1 + rules.still_min as end_minute

    from workouts
    cross join rules

),

-- What is beyond a limit is rare: of other hours nothing is looked at, but the end of the hour before, for its steps.
hours_to_see as (

    select distinct
        stg_minutes.user_id,
        stg_minutes.local_date,
        stg_minutes.minute_number - stg_minutes.minute_number % 60 as first_minute

    from stg_minutes
    inner join dirty_days
        on stg_minutes.user_id = dirty_days.user_id
        and stg_minutes.local_date = dirty_days.local_date
    cross join rules

    where
        stg_minutes.heart_rate_sum_bpm > rules.high_bpm * stg_minutes.heart_rate_sample_count
        or stg_minutes.heart_rate_sum_bpm < rules.low_bpm * stg_minutes.heart_rate_sample_count

),

hours_and_before as (

    select
        user_id,
        local_date,
        first_minute

    from hours_to_see

    union

    select
        user_id,
        local_date,
        first_minute - 60 as first_minute

    from hours_to_see

),

minutes_since_steps as (

    select
        stg_minutes.user_id,
        stg_minutes.local_date,
        stg_minutes.minute_number,
        stg_minutes.heart_rate_sum_bpm,
        stg_minutes.heart_rate_sample_count as sample_count,
        stg_minutes.minute_number - max(case when stg_minutes.step_count > 0 then stg_minutes.minute_number end) over (
            partition by stg_minutes.user_id, stg_minutes.local_date
            order by stg_minutes.minute_number
            rows between unbounded preceding and current row
        ) as since_step_min

    from stg_minutes
    inner join hours_and_before
        on stg_minutes.user_id = hours_and_before.user_id
        and stg_minutes.local_date = hours_and_before.local_date
        and stg_minutes.minute_number - stg_minutes.minute_number % 60 = hours_and_before.first_minute

),

minutes as (

    select
        minutes_since_steps.user_id,
        minutes_since_steps.local_date,
        minutes_since_steps.minute_number,
        cast(
            cast(minutes_since_steps.heart_rate_sum_bpm as double) / minutes_since_steps.sample_count as decimal(38, 12)
        ) as heart_rate_bpm,
        coalesce(minutes_since_steps.since_step_min > rules.still_min, true)
        and not exists (
            select 1
            from times_of_workouts
            where
                times_of_workouts.user_id = minutes_since_steps.user_id
                and times_of_workouts.local_date = minutes_since_steps.local_date
                and minutes_since_steps.minute_number >= times_of_workouts.first_minute
                and minutes_since_steps.minute_number < times_of_workouts.end_minute
        ) as is_still,
        coalesce(minutes_since_steps.since_step_min <= rules.awake_min, false) as is_awake

    from minutes_since_steps
    inner join activity_days
        on minutes_since_steps.user_id = activity_days.user_id
        and minutes_since_steps.local_date = activity_days.local_date
    cross join rules

    where minutes_since_steps.sample_count is not null

),

limits as (

    select
        minutes.*,
        'high' as limit_kind,
        rules.high_bpm as limit_bpm,
        minutes.is_still and minutes.heart_rate_bpm > rules.high_bpm as is_beyond

    from minutes
    cross join rules

    union all

    select
        minutes.*,
        'low' as limit_kind,
        case when minutes.is_awake then rules.low_bpm else rules.low_asleep_bpm end as limit_bpm,
        minutes.is_still
        and minutes.heart_rate_bpm < case when minutes.is_awake then rules.low_bpm else rules.low_asleep_bpm end as is_beyond

    from minutes
    cross join rules

),

-- A run goes on while minutes are beyond the limit; minutes that were not measured may lie between, a few.
neighbours as (

    select
        limits.*,
        lag(limits.minute_number) over in_time as minute_before,
        lag(limits.is_beyond) over in_time as was_beyond

    from limits

    window in_time as (partition by limits.user_id, limits.local_date, limits.limit_kind order by limits.minute_number)

),

run_starts as (

    select
        neighbours.*,
        sum(
            case
                when
                    neighbours.was_beyond
                    and neighbours.minute_number - neighbours.minute_before - 1 <= rules.hole_min
                    then 0
                else 1
            end
        ) over (
            partition by neighbours.user_id, neighbours.local_date, neighbours.limit_kind
            order by neighbours.minute_number
            rows between unbounded preceding and current row
        ) as run_number

    from neighbours
    cross join rules

    where neighbours.is_beyond

),

runs as (

    select
        user_id,
        local_date,
        limit_kind,
        run_number,
        max(limit_bpm) as limit_bpm,
        min(minute_number) as first_minute,
        max(minute_number) + 1 as end_minute,
        count(*) as measured_min,
        sum(heart_rate_bpm) as heart_rate_sum_bpm,
        min(heart_rate_bpm) as heart_rate_low_bpm,
        max(heart_rate_bpm) as heart_rate_high_bpm

    from run_starts

    group by user_id, local_date, limit_kind, run_number

),

long_runs as (

    select
        runs.*,
        lag(runs.end_minute) over (
            partition by runs.user_id, runs.local_date, runs.limit_kind
            order by runs.first_minute
        ) as end_before,
        rules.rearm_min

    from runs
    cross join rules

    where
        runs.end_minute - runs.first_minute >= rules.episode_min
        and 100 * runs.measured_min >= rules.measured_pct * (runs.end_minute - runs.first_minute)

),

armed_runs as (

    select *

    from long_runs

    where coalesce(first_minute - end_before >= rearm_min, true)

),

episodes as (

    select
        armed_runs.user_id,             -- person
        armed_runs.local_date,          -- the person's date when it began
        timestamptz '1970-01-01 00:00:00+00' + armed_runs.first_minute * interval 1 minute
            as started_at,              -- UTC
        armed_runs.limit_kind,          -- high or low
        timestamptz '1970-01-01 00:00:00+00' + armed_runs.end_minute * interval 1 minute
            as ended_at,                -- UTC, end of the last minute beyond the limit
        cast(armed_runs.end_minute - armed_runs.first_minute as integer)
            as duration_min,            -- min from start to end
        cast(armed_runs.measured_min as integer)
            as measured_min,            -- min of them with heart rate
        armed_runs.limit_bpm,           -- beats/min, the limit that held, the nearer one when it changed
        cast(armed_runs.heart_rate_sum_bpm as double) / armed_runs.measured_min
            as heart_rate_mean_bpm,     -- beats/min, mean over the measured minutes
        cast(case when armed_runs.limit_kind = 'high' then armed_runs.heart_rate_high_bpm else armed_runs.heart_rate_low_bpm end as double)
            as heart_rate_extreme_bpm,  -- beats/min, mean of the minute furthest beyond the limit
        'heart_rate_episodes/1'
            as method_version           -- formula of this row

    from armed_runs
    inner join dirty_days
        on armed_runs.user_id = dirty_days.user_id
        and armed_runs.local_date = dirty_days.local_date

)

select * from episodes
