-- rr_runs: one row per unbroken run of beat-to-beat intervals, all devices.
--
-- grain:    user_id, device_id, start_at
-- inputs:   silver.rr_runs
-- build:    view

with

rows_as_recorded as (

    select
        user_id,                    -- person
        device_id,                  -- device that measured it
        start_at,                   -- start of the first interval, UTC
        end_at,                     -- end of the last interval, UTC
        utc_offset_min,             -- min east of UTC, as recorded
        local_date,                 -- the person's date at the start
        len(intervals_ms)
            as interval_count,      -- intervals in the run
        intervals_ms,               -- ms, the intervals in their order
        source                      -- native, import or manual

    from silver.rr_runs

)

select * from rows_as_recorded
