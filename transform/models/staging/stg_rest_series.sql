-- stg_rest_series: the hours that tell rest from unrest: heart rate, steps and motion of the device that stands for a date.
--
-- grain:    user_id, local_date, metric, hour_at, utc_offset_min, period_ms, first_offset_ms
-- inputs:   silver.series_hours
-- build:    view
-- caution:  one device a date, native before import, then the one with most heart rates: what the wrist does and what the
--           heart does must be seen on the same arm

with

device_dates as (

    select
        user_id,
        local_date,
        device_id,
        row_number() over (
            partition by user_id, local_date
            order by
                min(case source when 'native' then 1 when 'import' then 2 else 3 end),
                sum(len("values") * greatest(period_ms, 1000)) desc,
                device_id
        ) as preference

    from silver.series_hours

    where metric = 'heart_rate'

    group by user_id, local_date, device_id

),

hours as (

    select
        series_hours.user_id,       -- person
        series_hours.local_date,    -- the person's date
        series_hours.metric,        -- heart_rate, steps or motion_count
        series_hours.hour_at,       -- start of the hour, UTC
        series_hours.utc_offset_min, -- min east of UTC, as recorded
        series_hours.period_ms,     -- ms that a sample covers; 0 = spot values
        series_hours.offsets_ms[1]
            as first_offset_ms,     -- ms of the hour at which the first sample lies
        series_hours.offsets_ms,    -- ms of the hour at which samples lie, or the first alone when the others follow it
        series_hours."values"
            as sample_values        -- the samples, in the metric's unit

    from silver.series_hours as series_hours
    inner join device_dates
        on series_hours.user_id = device_dates.user_id
        and series_hours.local_date = device_dates.local_date
        and series_hours.device_id = device_dates.device_id

    where
        device_dates.preference = 1
        and series_hours.metric in ('heart_rate', 'steps', 'motion_count')

)

select * from hours
