-- stg_night_vitals: oxygen saturation, breath and skin temperature by the minute, from one device a date and metric.
--
-- grain:    user_id, local_date, metric, minute_number
-- inputs:   stg_series_samples
-- build:    view
-- caution:  of several devices the one stands for the whole date that tells most minutes, native before import

with

device_minutes as (

    select
        user_id,
        local_date,
        metric,
        device_id,
        min(case source when 'native' then 1 when 'import' then 2 else 3 end) as source_rank,
        measured_us // 60000000 as minute_number,
        sum(value) as value_sum,
        count(*) as sample_count

    from stg_series_samples

    where metric in ('oxygen_saturation', 'respiratory_rate', 'skin_temperature')

    group by user_id, local_date, metric, device_id, measured_us // 60000000

),

device_days as (

    select
        user_id,
        local_date,
        metric,
        device_id,
        row_number() over (
            partition by user_id, local_date, metric
            order by min(source_rank), count(*) desc, device_id
        ) as preference

    from device_minutes

    group by user_id, local_date, metric, device_id

),

minutes as (

    select
        device_minutes.user_id,         -- person
        device_minutes.local_date,      -- the person's date
        device_minutes.metric,          -- oxygen_saturation, respiratory_rate or skin_temperature
        device_minutes.minute_number,   -- minutes since 1970-01-01 UTC
        cast(device_minutes.value_sum // device_minutes.sample_count as integer)
            as value                    -- permille, breaths/min in thousandths, or m degC: mean of the minute's samples

    from device_minutes
    inner join device_days
        on device_minutes.user_id = device_days.user_id
        and device_minutes.local_date = device_days.local_date
        and device_minutes.metric = device_days.metric
        and device_minutes.device_id = device_days.device_id

    where device_days.preference = 1

)

select * from minutes
