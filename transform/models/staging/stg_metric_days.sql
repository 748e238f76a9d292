-- stg_metric_days: one row per person, date and metric: how it was recorded, from the hours alone.
--
-- grain:    user_id, local_date, metric
-- inputs:   silver.series_hours
-- build:    view

with

-- Samples of a minute's period that all start at the same second are one to a minute. An hour that stores one offset has
-- them so by itself; the others are looked at.
hours as (

    select
        user_id,
        local_date,
        metric,
        device_id,
        period_ms,
        list_min(list_transform(offsets_ms, lambda o: o % 60000)) as first_phase_ms,
        list_max(list_transform(offsets_ms, lambda o: o % 60000)) as last_phase_ms

    from silver.series_hours

),

metric_days as (

    select
        user_id,            -- person
        local_date,         -- the person's date
        metric,             -- name in the metrics table
        min(device_id) <> max(device_id)
            as is_shared,   -- several devices recorded it
        min(device_id) = max(device_id)
        and min(period_ms) = 60000
        and max(period_ms) = 60000
        and min(first_phase_ms) = max(last_phase_ms)
            as is_by_minute -- one device gave one sample a minute, no more

    from hours

    group by user_id, local_date, metric

)

select * from metric_days
