-- stg_minutes: a person's minutes, each from the one device that stands for it: heart rate, steps, activity class, motion.
--
-- grain:    user_id, local_date, minute_number
-- inputs:   silver.series_hours, stg_heart_rate_hours
-- build:    view
-- keep:     build
-- go:       minutes
-- order:    user_id, local_date
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
-- output:   intensity_level integer: 0 sedentary, 1 light, 2 moderate, 3 vigorous, the highest of the minute
-- output:   intensity_sample_count integer: samples of the class in the minute; null = none
-- output:   motion_count integer: motion counts, sum over the minute's samples
-- output:   motion_sample_count integer: samples of motion in the minute; null = none
-- caution:  a sample counts for the minute it starts in, however long its period; devices whose recorded offsets disagree
--           about the date are each alone on their own date

with

hours as (

    select
        user_id,
        local_date,
        device_id,
        metric,
        source,
        hour_at,
        utc_offset_min,
        period_ms,
        offsets_ms,
        "values"

    from silver.series_hours

    where metric in ('steps', 'intensity', 'motion_count')

    union all

    select
        user_id,
        local_date,
        device_id,
        'heart_rate' as metric,
        source,
        hour_at,
        utc_offset_min,
        period_ms,
        offsets_ms,
        rates_bpm as "values"

    from stg_heart_rate_hours

)

select * from hours
