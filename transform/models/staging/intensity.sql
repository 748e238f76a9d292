-- intensity: one row per activity-class sample as recorded, all devices; for people who ask questions of the data.
--
-- grain:    user_id, device_id, measured_at
-- inputs:   stg_series_samples
-- build:    view
-- caution:  several devices may have recorded the same minute; stg_day_samples has one of them

with

samples as (

    select
        user_id,                -- person
        device_id,              -- device that measured it
        make_timestamptz(measured_us)
            as measured_at,     -- start of the sample, UTC
        make_timestamp(measured_us + cast(utc_offset_min as bigint) * 60000000)
            as local_at,        -- start of the sample on the person's clock
        local_date,             -- the person's date at the start of the sample
        utc_offset_min,         -- min east of UTC, as recorded
        period_ms,              -- ms that the sample covers from its start; 0 = a spot value
        source,                 -- native, import or manual
        value                   -- 0 sedentary, 1 light, 2 moderate, 3 vigorous, as the device says

    from stg_series_samples

    where metric = 'intensity'

)

select * from samples
