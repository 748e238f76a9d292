-- stg_heart_rate: a person's heart rate, minute by minute, from the one device that stands for that minute.
--
-- grain:    user_id, local_date, minute_number
-- inputs:   stg_metric_days, stg_series_samples, stg_device_minutes
-- build:    view
-- caution:  a sample counts for the minute it starts in, however long its period

with

days as (

    select
        user_id,
        local_date,
        is_shared,
        is_by_minute

    from stg_metric_days

    where metric = 'heart_rate'

),

samples as (

    select
        stg_series_samples.user_id,
        stg_series_samples.local_date,
        stg_series_samples.device_id,
        stg_series_samples.metric,
        stg_series_samples.measured_us // 60000000 as minute_number,
        stg_series_samples.utc_offset_min,
        stg_series_samples.value,
        days.is_shared,
        days.is_by_minute

    from stg_series_samples
    inner join days
        on stg_series_samples.user_id = days.user_id
        and stg_series_samples.local_date = days.local_date

    where stg_series_samples.metric = 'heart_rate'

),

-- Most days have one device, and its steps and classes come by the minute: they need neither choice nor sum.
minutes_as_recorded as (

    select
        user_id,
        local_date,
        minute_number,
        value as heart_rate_min_bpm,
        cast(value as bigint) as heart_rate_sum_bpm,
        value as heart_rate_max_bpm,
        cast(1 as bigint) as sample_count

    from samples

    where is_by_minute

),

samples_to_sum as (

    select
        user_id,
        local_date,
        minute_number,
        utc_offset_min,
        value

    from samples

    where not is_by_minute and not is_shared

    union all

    select
        samples.user_id,
        samples.local_date,
        samples.minute_number,
        samples.utc_offset_min,
        samples.value

    from samples
    inner join stg_device_minutes
        on samples.user_id = stg_device_minutes.user_id
        and samples.local_date = stg_device_minutes.local_date
        and samples.metric = stg_device_minutes.metric
        and samples.device_id = stg_device_minutes.device_id
        and samples.minute_number = stg_device_minutes.minute_number

    where samples.is_shared

),

minutes_summed as (

    select
        user_id,
        local_date,
        minute_number,
        min(value) as heart_rate_min_bpm,
        cast(sum(value) as bigint) as heart_rate_sum_bpm,
        max(value) as heart_rate_max_bpm,
        cast(count(*) as bigint) as sample_count

    from samples_to_sum

    group by user_id, local_date, minute_number

),

all_minutes as (

    select * from minutes_as_recorded

    union all

    select * from minutes_summed

),

minutes as (

    select
        user_id,                -- person
        local_date,             -- the person's date
        minute_number,          -- minutes since 1970-01-01 UTC
        heart_rate_min_bpm,     -- beats/min, lowest sample of the minute
        heart_rate_sum_bpm,     -- beats/min, sum over the minute's samples: divided by sample_count, their mean
        heart_rate_max_bpm,     -- beats/min, highest sample of the minute
        sample_count            -- samples in the minute

    from all_minutes

)

select * from minutes
