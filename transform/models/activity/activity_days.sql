-- activity_days: one row per person and local date with at least one step sample.
--
-- grain:    user_id, local_date
-- inputs:   stg_day_samples, definitions
-- build:    table
-- go:       activity_days
-- order:    none
-- output:   user_id varchar: person
-- output:   local_date date: the person's date
-- output:   step_count bigint: steps; the device's own zeros are zeros
-- output:   sample_count bigint: step samples; one of many minutes counts in each of them
-- output:   observed_min integer: min over which steps were counted
-- output:   active_hour_count integer: hours on the person's clock with at least active_hour_step_count steps
-- output:   intensity_sample_count bigint: activity-class samples; null when there are none
-- output:   sedentary_min integer: min the device calls sedentary; null when it sends no class
-- output:   light_activity_min integer: min the device calls light; null when it sends no class
-- output:   moderate_activity_min integer: min the device calls moderate; null when it sends no class
-- output:   vigorous_activity_min integer: min the device calls vigorous; null when it sends no class
-- output:   moderate_equivalent_min integer: min, moderate + 2 x vigorous; null when the device sends no class
-- output:   cadence_light_min integer: min of 1 to 99 steps
-- output:   cadence_moderate_min integer: min of 100 to 129 steps
-- output:   cadence_vigorous_min integer: min of 130 steps or more
-- output:   peak_1_cadence_per_min integer: steps/min of the highest minute
-- output:   peak_30_cadence_per_min double: steps/min, mean of the 30 highest minutes; null with fewer than 30
-- output:   distance_cm bigint: cm, by the device; null when it sends none
-- output:   floor_count integer: floors climbed, by the device; null when it sends none
-- output:   active_energy_cal bigint: cal beyond rest, by the device; 1000 cal = 1 kcal; null when it sends none
-- output:   distance_step_count bigint: steps of the minutes for which a distance was measured; null when the device sends none
-- output:   active_energy_step_count bigint: steps of the minutes for which active energy was told; null when the device sends none
-- output:   intensity_step_count bigint: steps of the minutes with an activity class; null when the device sends none
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
-- audit:    distance_step_count <= step_count and active_energy_step_count <= step_count and intensity_step_count <= step_count
-- caution:  minutes of activity by class are the device's own classes, minutes of cadence are not; both say nothing of
--           swimming or riding; distance, floors and energy are the device's own, of the minutes for which it told them; the
--           hour that comes twice when clocks go back is one hour; the cadence in the minutes of a longer sample is its mean,
--           so that its fastest minute is not told
-- method:   activity_days/1

with

rules as (

    select
        max(case when name = 'active_hour_step_count' then value end) as active_hour_step_count,
        max(case when name = 'cadence_moderate_per_min' then value end) as cadence_moderate,
        max(case when name = 'cadence_vigorous_per_min' then value end) as cadence_vigorous,
        max(case when name = 'peak_cadence_min' then value end) as peak_min,
        max(case when name = 'vigorous_minute_weight' then value end) as vigorous_weight

    from definitions

),

dates as (

    select
        stg_day_samples.user_id,
        stg_day_samples.local_date,
        stg_day_samples.step_minutes,
        stg_day_samples.step_counts,
        stg_day_samples.step_sample_counts,
        stg_day_samples.step_utc_offset_min,
        stg_day_samples.step_utc_offsets_min,
        stg_day_samples.intensity_levels,
        stg_day_samples.intensity_sample_counts,
        stg_day_samples.distance_cm,
        stg_day_samples.floor_count,
        stg_day_samples.active_energy_cal,
        stg_day_samples.distance_step_count,
        stg_day_samples.active_energy_step_count,
        stg_day_samples.intensity_step_count,
        rules.*

    from stg_day_samples
    inner join dirty_days
        on stg_day_samples.user_id = dirty_days.user_id
        and stg_day_samples.local_date = dirty_days.local_date
    cross join rules

    where stg_day_samples.step_minutes is not null

)

select * from dates
