-- stg_device_hours: what each stored hour of a device's series says of its evidence, without its samples.
--
-- grain:    user_id, device_id, metric, hour_at, local_date, utc_offset_min, period_ms, source
-- inputs:   silver.series_hours
-- build:    view
-- caution:  a class of activity counts as a minute when it was sampled by the minute, and not otherwise

with

hours as (

    select
        user_id,                -- person
        device_id,              -- device that measured it
        metric,                 -- steps, intensity or heart_rate
        hour_at,                -- start of the hour, UTC
        local_date,             -- the person's date
        utc_offset_min,         -- min east of UTC, as recorded
        period_ms,              -- ms that a sample covers
        source,                 -- native, import or manual
        list_min(offsets_ms)
            as first_offset_ms, -- ms from the hour's start to the first sample
        case when metric = 'steps' then list_sum("values") end
            as step_count,      -- steps in the hour; null of other metrics
        case
            when metric = 'intensity' and period_ms = 60000
                then list_sum(list_transform("values", lambda v: case v when 2 then 1 when 3 then 2 else 0 end))
        end
            as moderate_equivalent_min  -- min, moderate + 2 x vigorous; null of other metrics and periods

    from silver.series_hours

    where metric in ('steps', 'intensity', 'heart_rate')

)

select * from hours
