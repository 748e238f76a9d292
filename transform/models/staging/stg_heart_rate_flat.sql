-- stg_heart_rate_flat: stretches in which a device that measures often told one and the same heart rate for long.
--
-- grain:    user_id, local_date, device_id, started_ms
-- inputs:   silver.series_hours, stg_heart_rate_sentinels, definitions
-- build:    view
-- keep:     build
-- go:       heart_rate_flat
-- order:    user_id, local_date
-- output:   user_id varchar: person
-- output:   local_date date: the person's date
-- output:   started_ms bigint: ms since 1970-01-01 UTC
-- output:   length_ms bigint: ms from the first sample to the end of the last
-- output:   device_id varchar: device that told it
-- caution:  a stretch ends with its UTC hour

with

rules as (

    select
        max(case when name = 'heart_rate_lowest_bpm' then value end) as lowest_bpm,
        max(case when name = 'heart_rate_highest_bpm' then value end) as highest_bpm,
        max(case when name = 'heart_rate_jump_bpm_per_s' then value end) as jump_bpm_per_s,
        max(case when name = 'flat_line_min' then value end) as flat_line_min,
        max(case when name = 'flat_line_samples_per_min' then value end) as flat_line_samples_per_min

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

    where
        series_hours.metric = 'heart_rate'
        -- Fewer samples than this in an hour cannot make a stretch.
        and series_hours.period_ms * rules.flat_line_samples_per_min < 60000
        and len(series_hours."values") > rules.flat_line_min * rules.flat_line_samples_per_min

)

select * from hours
