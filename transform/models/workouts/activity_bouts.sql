-- activity_bouts: one row per stretch of minutes that looks like a walk, a run or a ride, whether or not it was recorded.
--
-- grain:    user_id, local_date, first_minute
-- inputs:   stg_day_samples, heart_rate_max_days, resting_heart_rate_days, definitions
-- build:    table
-- go:       activity_bouts
-- order:    none
-- output:   user_id varchar: person
-- output:   local_date date: the person's date
-- output:   first_minute bigint: minutes since 1970-01-01 UTC
-- output:   last_minute bigint: minutes since 1970-01-01 UTC, the last of the stretch
-- output:   bout_kind varchar: walk, run or ride
-- output:   duration_min integer: min from the first to the last
-- output:   active_min integer: min with enough steps, or so fast a heart
-- output:   step_count bigint: steps of these minutes; null of a ride
-- output:   cadence_steps_per_min bigint: steps/min of the middle one; null of a ride
-- output:   heart_rate_mean_bpm double: beats/min, mean of the samples; null when none were measured
-- output:   confidence_pct integer: %, how sure it is; below 70 the person is asked
-- source:   a walk has 60 steps in 80 % of its minutes and 90 to 139 in the middle one; a run has 140 and a heart rate of 60 %
--           of the highest, or 150; a ride has a heart rate of half the reserve and few steps for 15 min; two minutes below
--           do not end a stretch, 10 min are the least (methods 3.6)
-- audit:    bout_kind in ('walk', 'run', 'ride')
-- audit:    duration_min >= 10
-- audit:    confidence_pct between 0 and 100
-- audit:    active_min <= duration_min
-- caution:  a stretch ends at midnight; a ride is told by the heart alone and may be any exercise without steps; the cadence
--           in the minutes of a longer step sample is its mean, which hides a short run
-- method:   activity_bouts/1

with

rules as (

    select
        max(case when name = 'candidate_min' then value end) as least_min,
        max(case when name = 'candidate_ride_min' then value end) as ride_min,
        max(case when name = 'candidate_gap_min' then value end) as gap_min,
        max(case when name = 'candidate_steps_min' then value end) as steps_min,
        max(case when name = 'candidate_walk_cadence_min' then value end) as walk_cadence,
        max(case when name = 'candidate_walk_share_pct' then value end) as share_pct,
        max(case when name = 'candidate_run_cadence_min' then value end) as run_cadence,
        max(case when name = 'candidate_run_certain_cadence_min' then value end) as certain_cadence,
        max(case when name = 'candidate_run_heart_pct' then value end) as run_heart_pct,
        max(case when name = 'candidate_ride_heart_pct' then value end) as ride_heart_pct,
        max(case when name = 'candidate_ride_cadence_max' then value end) as ride_cadence

    from definitions

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
        cast(heart_rate_max_days.heart_rate_max_bpm as double) as heart_rate_max_bpm,
        cast(resting_heart_rate_days.resting_heart_rate_bpm as double) as resting_heart_rate_bpm,
        rules.*

    from stg_day_samples
    inner join dirty_days
        on stg_day_samples.user_id = dirty_days.user_id
        and stg_day_samples.local_date = dirty_days.local_date
    left join heart_rate_max_days
        on stg_day_samples.user_id = heart_rate_max_days.user_id
        and stg_day_samples.local_date = heart_rate_max_days.local_date
    left join resting_heart_rate_days
        on stg_day_samples.user_id = resting_heart_rate_days.user_id
        and stg_day_samples.local_date = resting_heart_rate_days.local_date
    cross join rules

)

select * from dates
