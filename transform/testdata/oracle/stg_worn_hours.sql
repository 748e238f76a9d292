-- stg_worn_hours: how much of each hour a person's devices measured the heart, from the hours alone.
--
-- grain:    user_id, local_date, hour_at, utc_offset_min
-- inputs:   silver.series_hours
-- build:    view
-- caution:  counts samples and their period, not the gaps between them; on a date without any heart rate, steps stand for it

with

hours as (

    select
        user_id,
        local_date,
        hour_at,
        utc_offset_min,
        metric,
        least(60, max(len("values") * greatest(period_ms, 1000) / 60000.0)) as measured_min

    from silver.series_hours

    where metric in ('heart_rate', 'steps')

    group by user_id, local_date, hour_at, utc_offset_min, metric

),

days as (

    select
        user_id,
        local_date,
        max(case when metric = 'heart_rate' then 1 else 0 end) as has_heart_rate

    from hours

    group by user_id, local_date

),

worn_hours as (

    select
        hours.user_id,          -- person
        hours.local_date,       -- the person's date
        hours.hour_at,          -- start of the hour, UTC
        epoch_ms(hours.hour_at)
            as hour_ms,         -- ms since 1970-01-01 UTC
        hours.utc_offset_min,   -- min east of UTC, as recorded
        cast(floor(hours.measured_min) as integer)
            as measured_min     -- min with a sample

    from hours
    inner join days
        on hours.user_id = days.user_id
        and hours.local_date = days.local_date

    where
        hours.metric = 'heart_rate'
        or days.has_heart_rate = 0

)

select * from worn_hours
