-- stg_device_minutes: the device that stands for a person's minute, one row per person, metric and minute, for the
-- person-days on which several devices recorded the metric.
--
-- grain:    user_id, local_date, metric, minute_number
-- inputs:   stg_metric_days, stg_series_samples, stg_heart_rate_hours
-- build:    view
-- caution:  devices whose recorded offsets disagree about the date are each alone on their own date

with

shared_days as (

    select
        user_id,
        local_date,
        metric

    from stg_metric_days

    where
        metric in (
            'heart_rate', 'steps', 'intensity', 'distance', 'floors', 'active_energy', 'oxygen_saturation',
            'respiratory_rate', 'skin_temperature', 'stress', 'noise_level'
        )
        and is_shared

),

shared_dates as (

    select distinct
        user_id,
        local_date

    from shared_days

),

beats as (

    select
        stg_heart_rate_hours.user_id,
        stg_heart_rate_hours.local_date,
        stg_heart_rate_hours.device_id,
        stg_heart_rate_hours.source,
        epoch_us(stg_heart_rate_hours.hour_at) // 1000 as hour_ms,
        unnest(
            case
                when stg_heart_rate_hours.is_regular
                    then list_transform(
                        generate_series(0, len(stg_heart_rate_hours.rates_bpm) - 1),
                        lambda i: cast(stg_heart_rate_hours.offsets_ms[1] + i * stg_heart_rate_hours.period_ms as integer)
                    )
                else stg_heart_rate_hours.offsets_ms
            end
        ) as offset_ms

    from stg_heart_rate_hours
    inner join shared_dates
        on stg_heart_rate_hours.user_id = shared_dates.user_id
        and stg_heart_rate_hours.local_date = shared_dates.local_date

),

-- Worn is what the minute itself shows: a step, or a heart.
samples as (

    select
        user_id,
        local_date,
        'heart_rate' as metric,
        device_id,
        source,
        (hour_ms + offset_ms) // 60000 as minute_number,
        1 as is_worn

    from beats

    union all

    select
        stg_series_samples.user_id,
        stg_series_samples.local_date,
        stg_series_samples.metric,
        stg_series_samples.device_id,
        stg_series_samples.source,
        stg_series_samples.measured_us // 60000000 as minute_number,
        case when stg_series_samples.metric = 'steps' and stg_series_samples.value > 0 then 1 else 0 end as is_worn

    from stg_series_samples
    inner join shared_dates
        on stg_series_samples.user_id = shared_dates.user_id
        and stg_series_samples.local_date = shared_dates.local_date

    where stg_series_samples.metric in (
        'steps', 'intensity', 'distance', 'floors', 'active_energy', 'oxygen_saturation', 'respiratory_rate',
        'skin_temperature', 'stress', 'noise_level'
    )

),

device_minutes as (

    select
        user_id,
        local_date,
        metric,
        device_id,
        minute_number,
        max(is_worn) as is_worn,
        min(case source when 'native' then 1 when 'import' then 2 else 3 end) as source_rank

    from samples

    group by user_id, local_date, metric, device_id, minute_number

),

device_wear as (

    select
        user_id,
        local_date,
        metric,
        device_id,
        minute_number,
        source_rank,
        max(is_worn) over (partition by user_id, local_date, device_id, minute_number) as is_worn

    from device_minutes

),

preferences as (

    select
        device_wear.user_id,
        device_wear.local_date,
        device_wear.metric,
        device_wear.minute_number,
        device_wear.device_id,
        row_number() over (
            partition by device_wear.user_id, device_wear.local_date, device_wear.metric, device_wear.minute_number
            order by device_wear.is_worn desc, device_wear.source_rank, device_wear.device_id
        ) as preference

    from device_wear
    inner join shared_days
        on device_wear.user_id = shared_days.user_id
        and device_wear.local_date = shared_days.local_date
        and device_wear.metric = shared_days.metric

),

chosen_devices as (

    select
        user_id,        -- person
        local_date,     -- the person's date
        metric,         -- name in the metrics table
        minute_number,  -- minutes since 1970-01-01 UTC
        device_id       -- the device whose samples count in this minute

    from preferences

    where preference = 1

)

select * from chosen_devices
