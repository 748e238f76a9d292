-- heart_rate_quality_days: one row per person and date on which the heart rate looks as if the sensor had lost the heart.
--
-- grain:    user_id, local_date
-- inputs:   stg_day_samples, definitions
-- build:    table
-- go:       heart_rate_quality_days
-- order:    none
-- output:   user_id varchar: person
-- output:   local_date date: the person's date
-- output:   cadence_lock_min integer: min in which steps may have been taken for beats
-- output:   flat_line_min integer: min in which one value was told on and on
-- source:   cadence lock: within 3 beats/min of the cadence for 3 min of more than 120 steps/min; flat line: one value for
--           more than 10 min, measured more often than every 5 s (methods 2.1)
-- audit:    cadence_lock_min >= 3 or flat_line_min >= 10
-- audit:    cadence_lock_min >= 0 and flat_line_min >= 0
-- caution:  suspicions, not proof: some hearts do beat with the step. The samples stay in all figures
-- method:   heart_rate_quality_days/1

with

rules as (

    select
        max(case when name = 'cadence_lock_steps_per_min' then value end) as steps_per_min,
        max(case when name = 'cadence_lock_distance_bpm' then value end) as distance_bpm,
        max(case when name = 'cadence_lock_min' then value end) as lock_min

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
        stg_day_samples.flat_line_lengths_ms,
        rules.*

    from stg_day_samples
    inner join dirty_days
        on stg_day_samples.user_id = dirty_days.user_id
        and stg_day_samples.local_date = dirty_days.local_date
    cross join rules

)

select * from dates
