-- stg_rr_runs: unbroken runs of beat-to-beat intervals, as devices recorded them.
--
-- grain:    user_id, local_date, device_id, started_ms
-- inputs:   silver.rr_runs
-- build:    view

with

runs as (

    select
        user_id,            -- person
        local_date,         -- the person's date when it began
        device_id,          -- device that recorded it
        epoch_us(start_at) // 1000
            as started_ms,  -- ms since 1970-01-01 UTC, the beat before the first interval
        intervals_ms        -- ms from beat to beat

    from silver.rr_runs

)

select * from runs
