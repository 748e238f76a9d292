-- activity_plausibility_days: one row per person and local date with a step sample: whether rankings can believe the day.
--
-- grain:    user_id, local_date
-- inputs:   activity_days, activity_hours, user_days, definitions
-- build:    table
-- source:   hard limits of steps, stride and day after methods 5.7: a minute above 260 steps, ten on end above 220 and a day
--           above 100,000 are rejected; a valid day above 45,000 or below 100 and ten minutes on end of many steps at a
--           resting pulse are flagged
-- audit:    (is_rejected or is_flagged) = not is_plausible
-- audit:    implausible_min + implausible_run_min >= 0
-- caution:  nobody is accused: a flag keeps a day out of rankings until somebody looks, and never out of the person's own
--           pages
-- method:   activity_plausibility_days/1

with

rules as (

    select
        max(case when name = 'implausible_day_step_count' then value end) as implausible_step_count,
        max(case when name = 'unusual_day_step_count_max' then value end) as unusual_step_count_max,
        max(case when name = 'unusual_day_step_count_min' then value end) as unusual_step_count_min,
        max(case when name = 'stride_min_mm' then value end) as stride_min_mm,
        max(case when name = 'stride_max_mm' then value end) as stride_max_mm

    from definitions

),

hour_sums as (

    select
        activity_hours.user_id,
        activity_hours.local_date,
        sum(activity_hours.implausible_min) as implausible_min,
        sum(activity_hours.implausible_run_min) as implausible_run_min,
        sum(activity_hours.shaker_min) as shaker_min

    from activity_hours
    inner join dirty_days
        on activity_hours.user_id = dirty_days.user_id
        and activity_hours.local_date = dirty_days.local_date

    group by activity_hours.user_id, activity_hours.local_date

),

measured_days as (

    select
        activity_days.user_id,
        activity_days.local_date,
        activity_days.step_count,
        coalesce(hour_sums.implausible_min, 0) as implausible_min,
        coalesce(hour_sums.implausible_run_min, 0) as implausible_run_min,
        coalesce(hour_sums.shaker_min, 0) as shaker_min,
        10 * cast(activity_days.distance_cm as double) / nullif(activity_days.distance_step_count, 0) as stride_mm,
        coalesce(user_days.is_valid_day, false) as is_valid_day

    from activity_days
    inner join dirty_days
        on activity_days.user_id = dirty_days.user_id
        and activity_days.local_date = dirty_days.local_date
    left join hour_sums
        on activity_days.user_id = hour_sums.user_id
        and activity_days.local_date = hour_sums.local_date
    left join user_days
        on activity_days.user_id = user_days.user_id
        and activity_days.local_date = user_days.local_date

),

judged_days as (

    select
        measured_days.*,
        measured_days.step_count > rules.implausible_step_count as is_day_too_high,
        measured_days.is_valid_day and (
            measured_days.step_count > rules.unusual_step_count_max
            or measured_days.step_count < rules.unusual_step_count_min
        ) as is_day_unusual,
        coalesce(
            measured_days.stride_mm < rules.stride_min_mm or measured_days.stride_mm > rules.stride_max_mm, false
        ) as is_stride_implausible

    from measured_days
    cross join rules

),

days as (

    select
        user_id,                    -- person
        local_date,                 -- the person's date
        cast(implausible_min as integer)
            as implausible_min,     -- min of more than 260 steps
        cast(implausible_run_min as integer)
            as implausible_run_min, -- min within ten on end of more than 220 steps
        cast(shaker_min as integer)
            as shaker_min,          -- min within ten on end of many steps at a resting pulse
        stride_mm,                  -- mm, the device's distance / steps of its minutes; null without distance or such steps
        is_day_too_high,            -- more than 100,000 steps
        is_day_unusual,             -- a valid day of more than 45,000 or fewer than 100 steps
        is_stride_implausible,      -- a stride outside 0.25 to 2.5 m
        implausible_min > 0 or implausible_run_min > 0 or is_day_too_high
            as is_rejected,         -- what legs cannot do
        shaker_min > 0 or is_day_unusual or is_stride_implausible
            as is_flagged,          -- what somebody should look at
        implausible_min = 0 and implausible_run_min = 0 and not is_day_too_high
        and shaker_min = 0 and not is_day_unusual and not is_stride_implausible
            as is_plausible,        -- neither
        'activity_plausibility_days/1'
            as method_version       -- formula of this row

    from judged_days

)

select * from days
