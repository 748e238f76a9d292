-- stg_night_hours: the hours of motion counts and heart rates that a main sleep touches, of every device.
--
-- grain:    user_id, night_date, device_id, metric, hour_ms
-- inputs:   silver.series_hours, sleep_periods
-- build:    view
-- caution:  hours are whole: some of their samples lie before or after the sleep

with

nights as (

    select
        user_id,
        night_date, -- The first whole epoch and the end of the last.
        (epoch_us(started_at) + 29999999) // 30000000 as first_epoch,
        epoch_us(ended_at) // 30000000 as end_epoch

    from sleep_periods

    where kind = 'main'

),

-- The dates a night may lie on, one by one: joined by equal dates, a person's nights do not meet all of the hours.
dates_of_nights as (

    select
        *,
        night_date - cast(unnest([0, 1, 2]) as integer) as local_date

    from nights

),

hours as (

    select
        dates_of_nights.user_id,                       -- person
        dates_of_nights.night_date,                    -- the person's date of waking
        dates_of_nights.first_epoch,                   -- first whole epoch of 30 s of the sleep, since 1970-01-01 UTC
        dates_of_nights.end_epoch,                     -- end of its last
        series_hours.device_id,                        -- device
        series_hours.metric,                           -- motion_count or heart_rate
        series_hours.source,                           -- native, import or manual
        epoch_us(series_hours.hour_at) // 1000
            as hour_ms,                                -- start of the hour, ms since 1970-01-01 UTC
        series_hours.period_ms,                        -- ms from a sample to the next
        series_hours.offsets_ms,                       -- ms into the hour at which samples start, or the first alone
        series_hours."values" as sample_values         -- counts, or beats/min

    from silver.series_hours as series_hours
    inner join dates_of_nights
        on series_hours.user_id = dates_of_nights.user_id
        and series_hours.local_date = dates_of_nights.local_date
        and epoch_us(series_hours.hour_at) // 30000000 + 120 > dates_of_nights.first_epoch
        and epoch_us(series_hours.hour_at) // 30000000 < dates_of_nights.end_epoch

    where series_hours.metric in ('heart_rate', 'motion_count')

)

select * from hours
