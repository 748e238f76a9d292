-- wear_days: one row per person and local date on which the device shows whether it was worn.
--
-- grain:    user_id, local_date
-- inputs:   heart_rate_days, stg_steps, definitions
-- build:    table
-- source:   a minute with a heart-rate sample is worn (methods 1.3, not worn); without heart rate, a stretch of 90 min
--           without a step is not worn, after Choi's 90 min of zero counts
-- audit:    worn_min between 0 and 3000
-- audit:    wear_source in ('heart_rate', 'motion')
-- caution:  by motion a quiet evening may pass for not worn, and sleep does; a stretch ends at midnight
-- method:   wear_days/1

with

heart_rate_wear as (

    select
        heart_rate_days.user_id,
        heart_rate_days.local_date,
        heart_rate_days.measured_min as worn_min,
        'heart_rate' as wear_source

    from heart_rate_days
    inner join dirty_days
        on heart_rate_days.user_id = dirty_days.user_id
        and heart_rate_days.local_date = dirty_days.local_date

),

step_minutes as (

    select
        stg_steps.user_id,
        stg_steps.local_date,
        stg_steps.minute_number,
        stg_steps.step_count

    from stg_steps
    inner join dirty_days
        on stg_steps.user_id = dirty_days.user_id
        and stg_steps.local_date = dirty_days.local_date

    where not exists (
        select 1
        from heart_rate_wear
        where
            heart_rate_wear.user_id = stg_steps.user_id
            and heart_rate_wear.local_date = stg_steps.local_date
    )

),

-- The day's first and last sample bound its first and last stretch.
neighbours as (

    select
        user_id,
        local_date,
        minute_number,
        step_count,
        coalesce(
            max(case when step_count > 0 then minute_number end) over (
                partition by user_id, local_date
                order by minute_number
                rows between unbounded preceding and current row
            ),
            min(minute_number) over (partition by user_id, local_date) - 1
        ) as step_before,
        coalesce(
            min(case when step_count > 0 then minute_number end) over (
                partition by user_id, local_date
                order by minute_number
                rows between current row and unbounded following
            ),
            max(minute_number) over (partition by user_id, local_date) + 1
        ) as step_after

    from step_minutes

),

still as (

    select value as still_min

    from definitions

    where name = 'motion_still_min'

),

motion_wear as (

    select
        neighbours.user_id,
        neighbours.local_date,
        cast(sum(
            case
                when neighbours.step_count > 0 then 1
                when neighbours.step_after - neighbours.step_before - 1 < still.still_min then 1
                else 0
            end
        ) as integer) as worn_min,
        'motion' as wear_source

    from neighbours
    cross join still

    group by neighbours.user_id, neighbours.local_date

),

wear as (

    select * from heart_rate_wear

    union all

    select * from motion_wear

),

days as (

    select
        user_id,            -- person
        local_date,         -- the person's date
        worn_min,           -- min worn
        wear_source,        -- heart_rate or motion: what says so
        'wear_days/1'
            as method_version   -- formula of this row

    from wear

)

select * from days
