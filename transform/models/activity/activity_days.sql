-- activity_days: one row per person and local date with at least one step sample.
--
-- grain:    user_id, local_date
-- inputs:   stg_steps, stg_intensity, definitions
-- build:    table
-- source:   steps as the device counted them; moderate + 2 x vigorous minutes after WHO 2020 (methods 3.2); an active
--           hour after product rule A5
-- audit:    step_count >= 0
-- audit:    observed_min between 1 and 3000
-- audit:    observed_min <= sample_count
-- audit:    active_hour_count between 0 and 24
-- audit:    moderate_equivalent_min >= 0
-- caution:  minutes by class are the device's own classes, not thresholds of ours; the hour that comes twice when clocks
--           go back is one hour
-- method:   activity_days/1

with

step_minutes as (

    select
        stg_steps.user_id,
        stg_steps.local_date,
        stg_steps.local_hour,
        stg_steps.step_count,
        stg_steps.sample_count

    from stg_steps
    inner join dirty_days
        on stg_steps.user_id = dirty_days.user_id
        and stg_steps.local_date = dirty_days.local_date

),

step_hours as (

    select
        user_id,
        local_date,
        local_hour,
        sum(step_count) as step_count,
        sum(sample_count) as sample_count,
        count(*) as observed_min

    from step_minutes

    group by user_id, local_date, local_hour

),

active_hour as (

    select value as step_count_min

    from definitions

    where name = 'active_hour_step_count'

),

step_days as (

    select
        step_hours.user_id,
        step_hours.local_date,
        sum(step_hours.step_count) as step_count,
        sum(step_hours.sample_count) as sample_count,
        sum(step_hours.observed_min) as observed_min,
        sum(case when step_hours.step_count >= active_hour.step_count_min then 1 else 0 end) as active_hour_count

    from step_hours
    cross join active_hour

    group by step_hours.user_id, step_hours.local_date

),

intensity_days as (

    select
        stg_intensity.user_id,
        stg_intensity.local_date,
        sum(stg_intensity.sample_count) as intensity_sample_count,
        sum(case when stg_intensity.intensity_level = 0 then 1 else 0 end) as sedentary_min,
        sum(case when stg_intensity.intensity_level = 1 then 1 else 0 end) as light_activity_min,
        sum(case when stg_intensity.intensity_level = 2 then 1 else 0 end) as moderate_activity_min,
        sum(case when stg_intensity.intensity_level = 3 then 1 else 0 end) as vigorous_activity_min

    from stg_intensity
    inner join dirty_days
        on stg_intensity.user_id = dirty_days.user_id
        and stg_intensity.local_date = dirty_days.local_date

    group by stg_intensity.user_id, stg_intensity.local_date

),

vigorous as (

    select value as weight

    from definitions

    where name = 'vigorous_minute_weight'

),

days as (

    select
        step_days.user_id,              -- person
        step_days.local_date,           -- the person's date
        cast(step_days.step_count as bigint)
            as step_count,              -- steps; the device's own zeros are zeros
        cast(step_days.sample_count as bigint)
            as sample_count,            -- step samples
        cast(step_days.observed_min as integer)
            as observed_min,            -- min with at least one step sample
        cast(step_days.active_hour_count as integer)
            as active_hour_count,       -- hours on the person's clock with at least active_hour_step_count steps
        cast(intensity_days.intensity_sample_count as bigint)
            as intensity_sample_count,  -- activity-class samples; null when there are none
        cast(intensity_days.sedentary_min as integer)
            as sedentary_min,           -- min the device calls sedentary; null when it sends no class
        cast(intensity_days.light_activity_min as integer)
            as light_activity_min,      -- min the device calls light; null when it sends no class
        cast(intensity_days.moderate_activity_min as integer)
            as moderate_activity_min,   -- min the device calls moderate; null when it sends no class
        cast(intensity_days.vigorous_activity_min as integer)
            as vigorous_activity_min,   -- min the device calls vigorous; null when it sends no class
        cast(intensity_days.moderate_activity_min + vigorous.weight * intensity_days.vigorous_activity_min as integer)
            as moderate_equivalent_min, -- min, moderate + 2 x vigorous; null when the device sends no class
        'activity_days/1'
            as method_version           -- formula of this row

    from step_days
    left join intensity_days
        on step_days.user_id = intensity_days.user_id
        and step_days.local_date = intensity_days.local_date
    cross join vigorous

)

select * from days
