-- readings: one row per single measurement: weight, body fat.
--
-- grain:    user_id, device_id, metric, measured_at
-- inputs:   silver.readings
-- build:    view

with

rows_as_recorded as (

    select
        user_id,            -- person
        device_id,          -- device that measured it
        metric,             -- name in the metrics table
        measured_at,        -- when, UTC
        utc_offset_min,     -- min east of UTC, as recorded
        local_date,         -- the person's date
        value,              -- in the metric's unit
        source              -- native, import or manual

    from silver.readings

)

select * from rows_as_recorded
