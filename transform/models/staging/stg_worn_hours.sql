-- stg_worn_hours: how much of each hour a person's devices measured the heart, from the hours alone.
--
-- grain:    user_id, local_date, hour_at, utc_offset_min
-- inputs:   wear_days
-- build:    view
-- caution:  counts samples and their period, not the gaps between them; on a date without any heart rate, steps stand for it

with

hours as (

    select
        user_id,
        local_date,
        unnest(measured_hour_minutes) as first_minute,
        unnest(measured_hour_utc_offsets_min) as utc_offset_min,
        unnest(measured_hour_mins) as measured_min,
        unnest(measured_hour_still_mins) as still_min

    from wear_days

),

worn_hours as (

    select
        user_id,            -- person
        local_date,         -- the person's date
        make_timestamptz(cast(first_minute as bigint) * 60000000)
            as hour_at,     -- start of the hour, UTC
        cast(first_minute as bigint) * 60000
            as hour_ms,     -- ms since 1970-01-01 UTC
        utc_offset_min,     -- min east of UTC, as recorded
        measured_min,       -- min with a sample
        still_min           -- min in a stretch so long without a step that it tells of no wear; null where a heart was measured

    from hours

)

select * from worn_hours
