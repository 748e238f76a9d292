-- stg_series_minutes: what else is measured by the minute, from the one device that stands for that minute: distance,
-- floors, energy, oxygen saturation, breath, skin temperature, stress, noise.
--
-- grain:    user_id, local_date, metric, minute_number
-- inputs:   stg_metric_days, stg_series_samples, stg_device_minutes
-- build:    view
-- caution:  a sample counts for the minute it starts in, however long its period

with

days as (

    select
        user_id,
        local_date,
        metric,
        is_shared,
        is_by_minute

    from stg_metric_days

    where metric in (
        'distance', 'floors', 'active_energy', 'oxygen_saturation', 'respiratory_rate', 'skin_temperature', 'stress',
        'noise_level'
    )

),

samples as (

    select
        stg_series_samples.user_id,
        stg_series_samples.local_date,
        stg_series_samples.device_id,
        stg_series_samples.metric,
        stg_series_samples.measured_us // 60000000 as minute_number,
        stg_series_samples.utc_offset_min,
        stg_series_samples.period_ms,
        stg_series_samples.value,
        days.is_shared,
        days.is_by_minute

    from stg_series_samples
    inner join days
        on stg_series_samples.user_id = days.user_id
        and stg_series_samples.local_date = days.local_date
        and stg_series_samples.metric = days.metric

    where stg_series_samples.metric in (
        'distance', 'floors', 'active_energy', 'oxygen_saturation', 'respiratory_rate', 'skin_temperature', 'stress',
        'noise_level'
    )

),

-- Most days have one device, and what comes by the minute needs neither choice nor sum.
minutes_as_recorded as (

    select
        user_id,
        local_date,
        minute_number,
        metric,
        cast((minute_number + utc_offset_min) // 60 % 24 as integer) as local_hour,
        value as value_min,
        cast(value as bigint) as value_sum,
        value as value_max,
        cast(1 as bigint) as covered_min,
        cast(1 as bigint) as sample_count

    from samples

    where is_by_minute

),

samples_to_sum as (

    select
        user_id,
        local_date,
        metric,
        minute_number,
        utc_offset_min,
        period_ms,
        value

    from samples

    where not is_by_minute and not is_shared

    union all

    select
        samples.user_id,
        samples.local_date,
        samples.metric,
        samples.minute_number,
        samples.utc_offset_min,
        samples.period_ms,
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
        metric,
        min(cast((minute_number + utc_offset_min) // 60 % 24 as integer)) as local_hour,
        min(value) as value_min,
        cast(sum(value) as bigint) as value_sum,
        max(value) as value_max,
        max(greatest(cast(period_ms as bigint), 60000)) // 60000 as covered_min,
        cast(count(*) as bigint) as sample_count

    from samples_to_sum

    group by user_id, local_date, metric, minute_number

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
        metric,                 -- name in the metrics table
        minute_number,          -- minutes since 1970-01-01 UTC
        local_hour,             -- 0 to 23 on the person's clock
        value_min,              -- in the metric's unit, lowest sample of the minute
        value_sum,              -- in the metric's unit, sum over the minute's samples
        value_max,              -- in the metric's unit, highest sample of the minute
        covered_min,            -- min that the longest of its samples speaks for; a spot value speaks for its minute
        sample_count            -- samples in the minute

    from all_minutes

)

select * from minutes
