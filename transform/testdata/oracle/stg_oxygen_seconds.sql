-- stg_oxygen_seconds: oxygen saturation measured at least every 3 s, second by second, from the one device that stands for
-- that minute.
--
-- grain:    user_id, local_date, second_number
-- inputs:   stg_metric_days, stg_series_samples, naive_device_minutes
-- build:    view

with

days as (

    select
        user_id,
        local_date,
        is_shared

    from stg_metric_days

    where
        metric = 'oxygen_saturation'
        and not is_by_minute

),

samples as (

    select
        stg_series_samples.user_id,
        stg_series_samples.local_date,
        stg_series_samples.metric,
        stg_series_samples.device_id,
        stg_series_samples.measured_us // 1000000 as second_number,
        stg_series_samples.measured_us // 60000000 as minute_number,
        stg_series_samples.period_ms,
        stg_series_samples.value,
        days.is_shared

    from stg_series_samples
    inner join days
        on stg_series_samples.user_id = days.user_id
        and stg_series_samples.local_date = days.local_date

    where
        stg_series_samples.metric = 'oxygen_saturation'
        and stg_series_samples.period_ms between 1 and 3000

),

chosen_samples as (

    select
        user_id,
        local_date,
        second_number,
        period_ms,
        value

    from samples

    where not is_shared

    union all

    select
        samples.user_id,
        samples.local_date,
        samples.second_number,
        samples.period_ms,
        samples.value

    from samples
    inner join naive_device_minutes
        on samples.user_id = naive_device_minutes.user_id
        and samples.local_date = naive_device_minutes.local_date
        and samples.metric = naive_device_minutes.metric
        and samples.device_id = naive_device_minutes.device_id
        and samples.minute_number = naive_device_minutes.minute_number

    where samples.is_shared

),

seconds as (

    select
        user_id,            -- person
        local_date,         -- the person's date
        second_number,      -- seconds since 1970-01-01 UTC
        min(value)
            as value,       -- permille, the lowest sample of the second
        max(greatest(period_ms, 1000)) // 1000
            as covered_s    -- s it speaks for

    from chosen_samples

    group by user_id, local_date, second_number

)

select * from seconds
