-- activity_days: one row per person and local date with at least one step sample.
--
-- grain:    user_id, local_date
-- inputs:   stg_steps, stg_intensity, stg_minutes, definitions
-- build:    table
-- source:   steps as the device counted them; moderate + 2 x vigorous minutes after WHO 2020 (methods 3.2); an active
--           hour after product rule A5; cadence classes after CADENCE-Adults (E045); peak 30-minute cadence after
--           Tudor-Locke 2012: the mean of the 30 highest minutes, wherever they lie (E083)
-- audit:    step_count >= 0
-- audit:    observed_min between 1 and 3000
-- audit:    observed_min <= sample_count
-- audit:    active_hour_count between 0 and 24
-- audit:    moderate_equivalent_min >= 0
-- audit:    cadence_light_min + cadence_moderate_min + cadence_vigorous_min <= observed_min
-- audit:    peak_30_cadence_per_min <= peak_1_cadence_per_min
-- audit:    distance_cm >= 0 and floor_count >= 0 and active_energy_cal >= 0
-- caution:  minutes of activity by class are the device's own classes, minutes of cadence are not; both say nothing of
--           swimming or riding; distance, floors and energy are the device's own; the hour that comes twice when clocks go
--           back is one hour
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

cadence as (

    select
        max(case when name = 'cadence_moderate_per_min' then value end) as moderate_per_min,
        max(case when name = 'cadence_vigorous_per_min' then value end) as vigorous_per_min,
        max(case when name = 'peak_cadence_min' then value end) as peak_min

    from definitions

),

-- A day has fewer cadences than minutes.
cadences as (

    select
        user_id,
        local_date,
        step_count,
        count(*) as minute_count

    from step_minutes

    group by user_id, local_date, step_count

),

cadences_from_the_top as (

    select
        cadences.*,
        sum(minute_count) over (
            partition by user_id, local_date
            order by step_count desc
            rows unbounded preceding
        ) - minute_count as higher_min

    from cadences

),

cadence_days as (

    select
        cadences_from_the_top.user_id,
        cadences_from_the_top.local_date,
        sum(
            case
                when
                    cadences_from_the_top.step_count > 0
                    and cadences_from_the_top.step_count < cadence.moderate_per_min
                    then cadences_from_the_top.minute_count
                else 0
            end
        ) as light_min,
        sum(
            case
                when
                    cadences_from_the_top.step_count >= cadence.moderate_per_min
                    and cadences_from_the_top.step_count < cadence.vigorous_per_min
                    then cadences_from_the_top.minute_count
                else 0
            end
        ) as moderate_min,
        sum(
            case
                when cadences_from_the_top.step_count >= cadence.vigorous_per_min
                    then cadences_from_the_top.minute_count
                else 0
            end
        ) as vigorous_min,
        max(cadences_from_the_top.step_count) as peak_1_step_count,
        sum(
            case
                when cadences_from_the_top.higher_min + cadences_from_the_top.minute_count <= cadence.peak_min
                    then cadences_from_the_top.step_count * cadences_from_the_top.minute_count
                when cadences_from_the_top.higher_min < cadence.peak_min
                    then cadences_from_the_top.step_count * (cadence.peak_min - cadences_from_the_top.higher_min)
                else 0
            end
        ) as peak_step_count

    from cadences_from_the_top
    cross join cadence

    group by cadences_from_the_top.user_id, cadences_from_the_top.local_date

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

measured_days as (

    select
        stg_minutes.user_id,
        stg_minutes.local_date,
        sum(stg_minutes.distance_cm) as distance_cm,
        sum(stg_minutes.floor_count) as floor_count,
        sum(stg_minutes.active_energy_cal) as active_energy_cal

    from stg_minutes
    inner join dirty_days
        on stg_minutes.user_id = dirty_days.user_id
        and stg_minutes.local_date = dirty_days.local_date

    group by stg_minutes.user_id, stg_minutes.local_date

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
        cast(cadence_days.light_min as integer)
            as cadence_light_min,       -- min of 1 to 99 steps
        cast(cadence_days.moderate_min as integer)
            as cadence_moderate_min,    -- min of 100 to 129 steps
        cast(cadence_days.vigorous_min as integer)
            as cadence_vigorous_min,    -- min of 130 steps or more
        cast(cadence_days.peak_1_step_count as integer)
            as peak_1_cadence_per_min,  -- steps/min of the highest minute
        case when step_days.observed_min >= cadence.peak_min then cadence_days.peak_step_count / cadence.peak_min end
            as peak_30_cadence_per_min, -- steps/min, mean of the 30 highest minutes; null with fewer than 30
        cast(measured_days.distance_cm as bigint)
            as distance_cm,             -- cm, by the device; null when it sends none
        cast(measured_days.floor_count as integer)
            as floor_count,             -- floors climbed, by the device; null when it sends none
        cast(measured_days.active_energy_cal as bigint)
            as active_energy_cal,       -- cal beyond rest, by the device; 1000 cal = 1 kcal; null when it sends none
        'activity_days/1'
            as method_version           -- formula of this row

    from step_days
    inner join cadence_days
        on step_days.user_id = cadence_days.user_id
        and step_days.local_date = cadence_days.local_date
    left join measured_days
        on step_days.user_id = measured_days.user_id
        and step_days.local_date = measured_days.local_date
    left join intensity_days
        on step_days.user_id = intensity_days.user_id
        and step_days.local_date = intensity_days.local_date
    cross join vigorous
    cross join cadence

)

select * from days
