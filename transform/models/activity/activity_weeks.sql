-- activity_weeks: one row per person and ISO week with a row of movement_days: the week held against the guideline.
--
-- grain:    user_id, week_date
-- inputs:   movement_days, definitions
-- build:    table
-- reach:    week
-- source:   moderate + 2 x vigorous minutes of the week after WHO 2020: 150, and 300 for more benefit (E046); cardio points
--           moderate 1 and vigorous 2 (methods 3.2)
-- audit:    valid_day_count between 0 and measured_day_count
-- audit:    measured_day_count between 1 and 7
-- audit:    is_guideline_met or not is_high_guideline_met
-- audit:    week_date = date_trunc('week', week_date)
-- caution:  the minutes are those of all days, valid or not: a week with few valid days may have had more, and only valid
--           weeks are compared with each other; strength is not told by steps or pulse and not in here; the guideline of
--           those under 18 is another
-- method:   activity_weeks/1

with

rules as (

    select
        max(case when name = 'who_week_min' then value end) as week_min,
        max(case when name = 'who_week_high_min' then value end) as high_min

    from definitions

),

days as (

    select
        movement_days.user_id,
        cast(date_trunc('week', movement_days.local_date) as date) as week_date,
        movement_days.is_valid_day,
        movement_days.moderate_cardio_min,
        movement_days.vigorous_cardio_min,
        movement_days.cardio_points,
        movement_days.active_equivalent_min

    from movement_days
    inner join dirty_days
        on movement_days.user_id = dirty_days.user_id
        and movement_days.local_date = dirty_days.local_date

),

sums as (

    select
        user_id,
        week_date,
        count(*) as measured_day_count,
        sum(case when is_valid_day then 1 else 0 end) as valid_day_count,
        sum(moderate_cardio_min) as moderate_cardio_min,
        sum(vigorous_cardio_min) as vigorous_cardio_min,
        sum(cardio_points) as cardio_points,
        sum(active_equivalent_min) as active_equivalent_min

    from days

    group by user_id, week_date

),

weeks as (

    select
        sums.user_id,                   -- person
        sums.week_date,                 -- the Monday the ISO week begins with
        cast(sums.measured_day_count as integer)
            as measured_day_count,      -- days with a step or heart-rate sample
        cast(sums.valid_day_count as integer)
            as valid_day_count,         -- days of them worn 10 h awake
        cast(sums.moderate_cardio_min as integer)
            as moderate_cardio_min,     -- min moderate by cadence or heart rate
        cast(sums.vigorous_cardio_min as integer)
            as vigorous_cardio_min,     -- min vigorous by cadence or heart rate
        cast(sums.cardio_points as integer)
            as cardio_points,           -- points, moderate 1 and vigorous 2 a minute
        cast(sums.active_equivalent_min as integer)
            as active_equivalent_min,   -- min, moderate + 2 x vigorous: the device's classes, else by cadence and heart rate
        sums.active_equivalent_min >= rules.week_min
            as is_guideline_met,        -- at least 150 min; false may be for want of wear
        sums.active_equivalent_min >= rules.high_min
            as is_high_guideline_met,   -- at least 300 min
        'activity_weeks/1'
            as method_version           -- formula of this row

    from sums
    cross join rules

)

select * from weeks
