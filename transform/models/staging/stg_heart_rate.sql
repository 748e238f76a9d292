-- stg_heart_rate: a person's heart rate, minute by minute, from the one device that stands for that minute; made
-- when somebody asks. Models have the same minutes as lists of stg_day_samples.
--
-- grain:    user_id, local_date, minute_number
-- inputs:   stg_heart_rate_hours
-- build:    view
-- caution:  a sample counts for the minute it starts in, however long its period

with

hours as (

    select
        user_id,
        local_date,
        device_id,
        case source when 'native' then 1 when 'import' then 2 else 3 end as source_rank,
        hour_at,
        period_ms,
        is_shared,
        is_by_minute,
        is_regular,
        offsets_ms,
        rates_bpm

    from stg_heart_rate_hours

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
        source_rank,
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
        source_rank,
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
        source_rank,
        is_shared,
        (first_ms + sample_index * period_ms) // 60000 as minute_number,
        bpm

    from regular_samples

    union all

    select
        user_id,
        local_date,
        device_id,
        source_rank,
        is_shared,
        (hour_ms + offset_ms) // 60000 as minute_number,
        bpm

    from scattered_samples

),

-- A device that measures a heart is worn: native goes before imported before typed in, then the first by name.
shared_samples as (

    select
        user_id,
        local_date,
        minute_number,
        bpm,
        device_id,
        first_value(device_id) over (
            partition by user_id, local_date, minute_number
            order by source_rank, device_id
        ) as chosen_device_id

    from samples

    where is_shared

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
        user_id,
        local_date,
        minute_number,
        bpm

    from shared_samples

    where device_id = chosen_device_id

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
