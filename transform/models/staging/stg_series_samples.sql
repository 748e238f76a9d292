-- stg_series_samples: one row per sample of every series, all devices, unnested from the hours.
--
-- grain:    user_id, local_date, metric, device_id, measured_us
-- inputs:   silver.series_hours
-- build:    view

with

hours as (

    select
        user_id,
        local_date,
        metric,
        device_id,
        source,
        utc_offset_min,
        period_ms,
        epoch_us(hour_at) as hour_us,
        offsets_ms,
        offsets_ms[1] as first_offset_ms,
        "values"

    from silver.series_hours

),

-- Lists unnested together are padded with nulls to the longest: an hour that stores one offset has it on its first
-- sample only, and the others follow it one period apart.
samples as (

    select
        user_id,
        local_date,
        metric,
        device_id,
        source,
        utc_offset_min,
        period_ms,
        hour_us,
        first_offset_ms,
        unnest(offsets_ms) as own_offset_ms,
        generate_subscripts("values", 1) - 1 as sample_index,
        unnest("values") as value

    from hours

),

timed_samples as (

    select
        user_id,                -- person
        local_date,             -- the person's date when it was measured
        metric,                 -- name in the metrics table
        device_id,              -- device that measured it
        source,                 -- native, import or manual
        utc_offset_min,         -- min east of UTC, as recorded
        period_ms,              -- ms that the sample covers from its start; 0 = a spot value
        hour_us + 1000 * cast(coalesce(own_offset_ms, first_offset_ms + sample_index * period_ms) as bigint)
            as measured_us,     -- us since 1970-01-01 UTC, start of the sample
        value                   -- in the metric's unit

    from samples

)

select * from timed_samples
