-- stg_minutes: a person's minutes, each from the one device that stands for it: heart rate, steps, activity class, motion,
-- and what else is measured by the minute.
--
-- grain:    user_id, local_date, minute_number
-- inputs:   silver.series_hours, stg_heart_rate_sentinels, definitions
-- build:    view
-- keep:     build
-- go:       minutes
-- order:    user_id, local_date
-- source:   heart rates that cannot be are left out: beyond limits, sentinels, jumps (methods 2.1; E036); steps of a running
--           counter are the differences of its readings on a date, a fall is a reset; on a date on which any device sent
--           steps, counters count nothing; of several counters the one read most often stands for the date
-- output:   user_id varchar: person
-- output:   local_date date: the person's date
-- output:   minute_number integer: minutes since 1970-01-01 UTC
-- output:   local_minute integer: minute of the person's clock, 0 to 1439
-- output:   heart_rate_min_bpm integer: beats/min, lowest valid sample of the minute; null when none was measured
-- output:   heart_rate_sum_bpm integer: beats/min, sum over the minute's samples, divided by their count the mean
-- output:   heart_rate_max_bpm integer: beats/min, highest sample of the minute
-- output:   heart_rate_sample_count integer: samples of heart rate in the minute; null = none
-- output:   step_count integer: steps; the device's own zeros are zeros; null when none were counted
-- output:   step_sample_count integer: samples of steps in the minute; null = none
-- output:   foreign_step_count integer: of the steps, those that were imported or written in by hand
-- output:   step_covered_min integer: min that the longest of them speaks for
-- output:   step_utc_offset_min integer: min east of UTC, the lowest of them, as recorded
-- output:   intensity_level integer: 0 sedentary, 1 light, 2 moderate, 3 vigorous, the highest of the minute
-- output:   intensity_sample_count integer: samples of the class in the minute; null = none
-- output:   motion_count integer: motion counts, sum over the minute's samples
-- output:   motion_sample_count integer: samples of motion in the minute; null = none
-- output:   distance_cm integer: cm; null when none was measured
-- output:   floor_count integer: floors climbed; null when none were counted
-- output:   active_energy_cal integer: cal beyond rest; null when not told
-- output:   oxygen_saturation_min_permille integer: permille, lowest sample of the minute; null = not measured
-- output:   oxygen_saturation_sum_permille integer: permille, sum over the minute's samples
-- output:   oxygen_saturation_sample_count integer: samples of oxygen saturation in the minute; null = none
-- output:   oxygen_saturation_covered_min integer: min that the longest of them speaks for; a spot value speaks for its minute
-- output:   respiratory_rate_sum_milli_per_min integer: thousandths of a breath/min, sum over the minute's samples
-- output:   respiratory_rate_sample_count integer: samples of breath in the minute; null = none
-- output:   respiratory_rate_covered_min integer: min that the longest of them speaks for
-- output:   skin_temperature_sum_mcel integer: thousandths of a degree Celsius, sum over the minute's samples
-- output:   skin_temperature_sample_count integer: samples of skin temperature in the minute; null = none
-- output:   skin_temperature_covered_min integer: min that the longest of them speaks for
-- output:   stress_sum_score integer: the device's own score, sum over the minute's samples
-- output:   stress_sample_count integer: scores in the minute; null = none
-- output:   stress_covered_min integer: min that the longest of them speaks for
-- output:   noise_level_sum_ddb integer: tenths of a decibel, sum over the minute's samples
-- output:   noise_level_max_ddb integer: tenths of a decibel, loudest sample of the minute
-- output:   noise_level_sample_count integer: samples of noise in the minute; null = none
-- output:   noise_level_covered_min integer: min that the longest of them speaks for
-- caution:  a sample counts for the minute it starts in, however long its period; devices whose recorded offsets disagree
--           about the date are each alone on their own date; what a counter counted between the last reading of a date and
--           the first of the next belongs to neither for certain and counts for none

with

rules as (

    select
        max(case when name = 'heart_rate_lowest_bpm' then value end) as lowest_bpm,
        max(case when name = 'heart_rate_highest_bpm' then value end) as highest_bpm,
        max(case when name = 'heart_rate_jump_bpm_per_s' then value end) as jump_bpm_per_s,
        max(case when name = 'counter_steps_per_min_max' then value end) as counter_steps_per_min_max

    from definitions

),

hours as (

    select
        series_hours.user_id,
        series_hours.local_date,
        series_hours.device_id,
        series_hours.metric,
        series_hours.source,
        series_hours.hour_at,
        series_hours.utc_offset_min,
        series_hours.period_ms,
        series_hours.offsets_ms,
        series_hours."values",
        stg_heart_rate_sentinels.sentinel_values,
        rules.*

    from silver.series_hours
    cross join rules
    left join stg_heart_rate_sentinels
        on series_hours.device_id = stg_heart_rate_sentinels.device_id

    where series_hours.metric in (
        'heart_rate', 'steps', 'step_counter', 'intensity', 'motion_count', 'distance', 'floors', 'active_energy',
        'oxygen_saturation', 'respiratory_rate', 'skin_temperature', 'stress', 'noise_level'
    )

)

select * from hours
