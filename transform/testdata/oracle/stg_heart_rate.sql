-- stg_heart_rate: a person's heart rate, minute by minute, from the one device that stands for that minute.
--
-- grain:    user_id, local_date, minute_number
-- inputs:   stg_heart_rate_hours, naive_device_minutes
-- build:    view
-- caution:  a sample counts for the minute it starts in, however long its period

with

hours as (

    select * from stg_heart_rate_hours

),

-- Most days have one device, and its heart rate comes by the minute: it needs neither choice nor sum.
minutes_as_recorded as (

    select
        user_id,
        local_date,
        (epoch_us(hour_at) // 1000 + offsets_ms[1]) // 60000 + generate_subscripts(rates_bpm, 1) - 1 as minute_number,
        unnest(rates_bpm) as bpm

    from hours

    where is_by_minute and is_regular

),

regular_samples as (

    select
        user_id,
        local_date,
        device_id,
        is_shared,
        epoch_us(hour_at) // 1000 + offsets_ms[1] as first_ms,
        cast(period_ms as bigint) as period_ms,
        generate_subscripts(rates_bpm, 1) - 1 as sample_index,
        unnest(rates_bpm) as bpm

    from hours

    where is_regular and not is_by_minute

),

scattered_samples as (

    select
        user_id,
        local_date,
        device_id,
        is_shared,
        epoch_us(hour_at) // 1000 as hour_ms,
        unnest(offsets_ms) as offset_ms,
        unnest(rates_bpm) as bpm

    from hours

    where not is_regular

),

samples as (

    select
        user_id,
        local_date,
        device_id,
        is_shared,
        (first_ms + sample_index * period_ms) // 60000 as minute_number,
        bpm

    from regular_samples

    union all

    select
        user_id,
        local_date,
        device_id,
        is_shared,
        (hour_ms + offset_ms) // 60000 as minute_number,
        bpm

    from scattered_samples

),

samples_to_sum as (

    select
        user_id,
        local_date,
        minute_number,
        bpm

    from samples

    where not is_shared

    union all

    select
        samples.user_id,
        samples.local_date,
        samples.minute_number,
        samples.bpm

    from samples
    inner join naive_device_minutes
        on samples.user_id = naive_device_minutes.user_id
        and samples.local_date = naive_device_minutes.local_date
        and samples.device_id = naive_device_minutes.device_id
        and samples.minute_number = naive_device_minutes.minute_number

    where
        samples.is_shared
        and naive_device_minutes.metric = 'heart_rate'

),

minutes_summed as (

    select
        user_id,
        local_date,
        minute_number,
        min(bpm) as heart_rate_min_bpm,
        cast(sum(bpm) as bigint) as heart_rate_sum_bpm,
        max(bpm) as heart_rate_max_bpm,
        cast(count(*) as bigint) as sample_count

    from samples_to_sum

    group by user_id, local_date, minute_number

),

all_minutes as (

    select
        user_id,
        local_date,
        minute_number,
        bpm as heart_rate_min_bpm,
        cast(bpm as bigint) as heart_rate_sum_bpm,
        bpm as heart_rate_max_bpm,
        cast(1 as bigint) as sample_count

    from minutes_as_recorded

    union all

    select * from minutes_summed

),

minutes as (

    select
        user_id,                -- person
        local_date,             -- the person's date
        minute_number,          -- minutes since 1970-01-01 UTC
        heart_rate_min_bpm,     -- beats/min, lowest valid sample of the minute
        heart_rate_sum_bpm,     -- beats/min, sum over the minute's valid samples: divided by sample_count, their mean
        heart_rate_max_bpm,     -- beats/min, highest valid sample of the minute
        sample_count            -- valid samples in the minute

    from all_minutes

)

select * from minutes
