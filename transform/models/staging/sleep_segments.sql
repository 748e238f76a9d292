-- sleep_segments: one row per sleep segment as the device told it.
--
-- grain:    user_id, device_id, start_at
-- inputs:   silver.sleep_segments
-- build:    view

with

rows_as_recorded as (

    select
        user_id,                -- person
        device_id,              -- device that told it
        start_at,               -- start, UTC
        end_at,                 -- end, UTC
        start_utc_offset_min,   -- min east of UTC at the start, as recorded
        end_utc_offset_min,     -- min east of UTC at the end, as recorded
        local_date,             -- the person's date at the end
        stage,                  -- awake, light, deep, rem, asleep, out_of_bed or unknown
        source                  -- native, import or manual

    from silver.sleep_segments

)

select * from rows_as_recorded
