-- wear_days: one row per person and local date on which the device shows whether it was worn.
--
-- grain:    user_id, local_date
-- inputs:   heart_rate_days, stg_steps, definitions
-- build:    table
-- source:   a minute with a heart-rate sample is worn (methods 1.3, not worn); without heart rate, a stretch of 90 min
--           without a step is not worn, after Choi's 90 min of zero counts
-- audit:    worn_min between 0 and 3000
-- audit:    wear_source in ('heart_rate', 'motion')
-- audit:    motion_min between 0 and 3000
-- caution:  by motion a quiet evening may pass for not worn, and sleep does; a stretch ends at midnight
-- method:   wear_days/1

with

heart_rate_wear as (

    select
        heart_rate_days.user_id,
        heart_rate_days.local_date,
        heart_rate_days.measured_min as worn_min

    from heart_rate_days
    inner join dirty_days
        on heart_rate_days.user_id = dirty_days.user_id
        and heart_rate_days.local_date = dirty_days.local_date

),

certain as (

    select value as certain_min

    from definitions

    where name = 'wear_certain_min'

),

-- A day that heart rate alone settles needs no second witness.
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
        cross join certain
        where
            heart_rate_wear.user_id = stg_steps.user_id
            and heart_rate_wear.local_date = stg_steps.local_date
            and heart_rate_wear.worn_min >= certain.certain_min
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
        ) as integer) as motion_min

    from neighbours
    cross join still

    group by neighbours.user_id, neighbours.local_date

),

wear as (

    select
        coalesce(heart_rate_wear.user_id, motion_wear.user_id) as user_id,
        coalesce(heart_rate_wear.local_date, motion_wear.local_date) as local_date,
        coalesce(heart_rate_wear.worn_min, motion_wear.motion_min) as worn_min,
        case when heart_rate_wear.worn_min is not null then 'heart_rate' else 'motion' end as wear_source,
        motion_wear.motion_min

    from heart_rate_wear
    full outer join motion_wear
        on heart_rate_wear.user_id = motion_wear.user_id
        and heart_rate_wear.local_date = motion_wear.local_date

),

days as (

    select
        user_id,            -- person
        local_date,         -- the person's date
        worn_min,           -- min worn
        wear_source,        -- heart_rate or motion: what says so
        motion_min,         -- min worn by motion; null without steps, and when heart rate alone settles the day
        'wear_days/1'
            as method_version   -- formula of this row

    from wear

)

select * from days
