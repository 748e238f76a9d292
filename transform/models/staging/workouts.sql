-- workouts: one row per workout as its device tells it, the newest version of each.
--
-- grain:    user_id, device_id, workout_id
-- inputs:   silver.workouts
-- build:    view
-- caution:  several devices may have recorded the same hour; workout_summaries says which of them counts

with

rows_as_recorded as (

    select
        user_id,                    -- person
        device_id,                  -- device or app that recorded it
        workout_id,                 -- the device's name of it
        sport,                      -- as the device calls it
        start_at,                   -- start, UTC
        end_at,                     -- end, UTC
        start_utc_offset_min,       -- min east of UTC at the start, as recorded
        end_utc_offset_min,         -- min east of UTC at the end, as recorded
        local_date,                 -- the person's date at the start
        source                      -- native, import or manual

    from silver.workouts

    where not coalesce(is_deleted, false)

)

select * from rows_as_recorded
