-- stg_clock_hours: the offset of a person's clock in each stored hour of a series.
--
-- grain:    user_id, local_date, device_id, metric, hour_at, utc_offset_min, period_ms, source
-- inputs:   silver.series_hours
-- build:    view

with

hours as (

    select
        user_id,            -- person
        local_date,         -- the person's date
        device_id,          -- device that measured
        metric,             -- what it measured
        hour_at,            -- start of the hour, UTC
        utc_offset_min,     -- min east of UTC, as recorded
        period_ms,          -- ms that a sample covers
        source              -- native, import or manual

    from silver.series_hours

)

select * from hours
