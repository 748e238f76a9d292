-- stg_heart_rate: a person's heart rate, minute by minute, from the one device that stands for that minute; made
-- when somebody asks. Models have the same minutes as lists of stg_day_samples.
--
-- grain:    user_id, local_date, minute_number
-- inputs:   stg_heart_rate_hours
-- build:    view
-- caution:  a sample counts for the minute it starts in, however long its period

with

-- Samples of a regular hour follow each other from the one offset on.
samples as (

    select
        user_id,
        local_date,
        device_id,
        case source when 'native' then 1 when 'import' then 2 else 3 end as source_rank,
        is_shared,
        epoch_us(hour_at) // 1000 as hour_ms,
        unnest(
            case
                when is_regular
                    then list_transform(
                        range(len(rates_bpm)), lambda i: cast(offsets_ms[1] + i * period_ms as integer)
                    )
                else offsets_ms
            end
        ) as offset_ms,
        unnest(rates_bpm) as bpm

    from stg_heart_rate_hours

),

-- A device that measures a heart is worn: native goes before imported before typed in, then the first by name.
shared_samples as (

    select
        *,
        first_value(device_id) over (
            partition by user_id, local_date, (hour_ms + offset_ms) // 60000
            order by source_rank, device_id
        ) as chosen_device_id

    from samples

    where is_shared

),

-- Most dates have one device, and need no choice.
chosen_samples as (

    select
        user_id,
        local_date,
        hour_ms,
        offset_ms,
        bpm

    from samples

    where not is_shared

    union all

    select
        user_id,
        local_date,
        hour_ms,
        offset_ms,
        bpm

    from shared_samples

    where device_id = chosen_device_id

),

minutes as (

    select
        user_id,                    -- person
        local_date,                 -- the person's date
        (hour_ms + offset_ms) // 60000
            as minute_number,       -- minutes since 1970-01-01 UTC
        min(bpm)
            as heart_rate_min_bpm,  -- beats/min, lowest valid sample of the minute
        cast(sum(bpm) as bigint)
            as heart_rate_sum_bpm,  -- beats/min, sum over the minute's valid samples: divided by sample_count, their mean
        max(bpm)
            as heart_rate_max_bpm,  -- beats/min, highest valid sample of the minute
        count(*)
            as sample_count         -- valid samples in the minute

    from chosen_samples

    group by user_id, local_date, (hour_ms + offset_ms) // 60000

)

select * from minutes
