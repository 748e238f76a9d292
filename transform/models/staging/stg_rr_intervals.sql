-- stg_rr_intervals: one row per beat-to-beat interval, all devices, unnested from the runs.
--
-- grain:    user_id, device_id, run_start_us, interval_index
-- inputs:   silver.rr_runs
-- build:    view
-- caution:  a run is dated by its start, whatever midnights it crosses; runs of one device may overlap

with

intervals as (

    select
        user_id,
        local_date,
        device_id,
        source,
        utc_offset_min,
        epoch_us(start_at) as run_start_us,
        generate_subscripts(intervals_ms, 1) as interval_index,
        unnest(intervals_ms) as interval_ms

    from silver.rr_runs

),

timed_intervals as (

    select
        user_id,                    -- person
        local_date,                 -- the person's date at the start of the run
        device_id,                  -- device that measured it
        case source when 'native' then 1 when 'import' then 2 else 3 end
            as source_rank,         -- 1 native, 2 import, 3 manual: lower is preferred
        utc_offset_min,             -- min east of UTC, as recorded
        run_start_us,               -- us since 1970-01-01 UTC, start of the run
        interval_index,             -- 1, 2, 3 ... in the run
        run_start_us + 1000 * cast(sum(interval_ms) over (
            partition by user_id, device_id, run_start_us
            order by interval_index
            rows unbounded preceding
        ) as bigint)
            as ended_us,            -- us since 1970-01-01 UTC, the beat that ends the interval
        interval_ms                 -- ms from beat to beat, as recorded

    from intervals

)

select * from timed_intervals
