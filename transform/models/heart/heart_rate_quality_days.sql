-- heart_rate_quality_days: one row per person and date on which the heart rate looks as if the sensor had lost the heart.
--
-- grain:    user_id, local_date
-- inputs:   stg_minutes, stg_heart_rate_flat, definitions
-- build:    table
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

minutes_at_cadence as (

    select
        stg_minutes.user_id,
        stg_minutes.local_date,
        stg_minutes.minute_number,
        stg_minutes.minute_number - row_number() over (
            partition by stg_minutes.user_id, stg_minutes.local_date
            order by stg_minutes.minute_number
        ) as run_number

    from stg_minutes
    inner join dirty_days
        on stg_minutes.user_id = dirty_days.user_id
        and stg_minutes.local_date = dirty_days.local_date
    cross join rules

    where
        stg_minutes.step_count > rules.steps_per_min
        and abs(stg_minutes.heart_rate_sum_bpm - stg_minutes.step_count * stg_minutes.heart_rate_sample_count)
        <= rules.distance_bpm * stg_minutes.heart_rate_sample_count

),

locks as (

    select
        user_id,
        local_date,
        count(*) as length_min

    from minutes_at_cadence

    group by user_id, local_date, run_number

),

suspicions as (

    select
        locks.user_id,
        locks.local_date,
        locks.length_min as cadence_lock_min,
        0 as flat_line_ms

    from locks
    cross join rules

    where locks.length_min >= rules.lock_min

    union all

    select
        stg_heart_rate_flat.user_id,
        stg_heart_rate_flat.local_date,
        0 as cadence_lock_min,
        stg_heart_rate_flat.length_ms as flat_line_ms

    from stg_heart_rate_flat
    inner join dirty_days
        on stg_heart_rate_flat.user_id = dirty_days.user_id
        and stg_heart_rate_flat.local_date = dirty_days.local_date

),

days as (

    select
        user_id,                -- person
        local_date,             -- the person's date
        cast(sum(cadence_lock_min) as integer)
            as cadence_lock_min, -- min in which steps may have been taken for beats
        cast(floor(sum(flat_line_ms) / 60000) as integer)
            as flat_line_min,   -- min in which one value was told on and on
        'heart_rate_quality_days/1'
            as method_version   -- formula of this row

    from suspicions

    group by user_id, local_date

)

select * from days
