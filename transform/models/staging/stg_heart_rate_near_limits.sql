-- stg_heart_rate_near_limits: the minutes of those hours in which a person's heart rate went near a limit of an episode.
--
-- grain:    user_id, local_date, minute_number
-- inputs:   stg_heart_rate_hours, stg_device_minutes, definitions
-- build:    view
-- caution:  other hours are left out, so a minute that is missing here was not near a limit or was not measured

with

rules as (

    select
        least(
            max(case when name = 'heart_rate_high_bpm' then value end),
            max(case when name = 'cadence_lock_steps_per_min' then value end)
            - max(case when name = 'cadence_lock_distance_bpm' then value end)
        ) as high_bpm,
        max(case when name = 'heart_rate_low_bpm' then value end) as low_bpm

    from definitions

),

all_hours as (

    select * from stg_heart_rate_hours

),

hours as (

    select distinct
        all_hours.user_id,
        all_hours.local_date,
        all_hours.hour_at

    from all_hours
    cross join rules

    where
        all_hours.highest_bpm > rules.high_bpm
        or all_hours.lowest_bpm < rules.low_bpm

),

-- Another series of the same hour belongs to its minutes, also when it stays within the limits.
all_of_the_hours as (

    select
        all_hours.user_id,
        all_hours.local_date,
        all_hours.device_id,
        all_hours.is_shared,
        all_hours.is_regular,
        all_hours.period_ms,
        epoch_us(all_hours.hour_at) // 1000 as hour_ms,
        all_hours.offsets_ms,
        all_hours.rates_bpm

    from all_hours
    inner join hours
        on all_hours.user_id = hours.user_id
        and all_hours.local_date = hours.local_date
        and all_hours.hour_at = hours.hour_at

),

timed_samples as (

    select
        user_id,
        local_date,
        device_id,
        is_shared,
        hour_ms,
        case when is_regular then offsets_ms[1] end as first_offset_ms,
        cast(period_ms as bigint) as period_ms,
        unnest(case when is_regular then cast([] as integer[]) else offsets_ms end) as offset_ms,
        generate_subscripts(rates_bpm, 1) - 1 as sample_index,
        unnest(rates_bpm) as bpm

    from all_of_the_hours

),

samples as (

    select
        user_id,
        local_date,
        device_id,
        is_shared,
        (hour_ms + coalesce(offset_ms, first_offset_ms + sample_index * period_ms)) // 60000 as minute_number,
        bpm

    from timed_samples

),

chosen_samples as (

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
    inner join stg_device_minutes
        on samples.user_id = stg_device_minutes.user_id
        and samples.local_date = stg_device_minutes.local_date
        and samples.device_id = stg_device_minutes.device_id
        and samples.minute_number = stg_device_minutes.minute_number

    where
        samples.is_shared
        and stg_device_minutes.metric = 'heart_rate'

),

minutes as (

    select
        user_id,                -- person
        local_date,             -- the person's date
        minute_number,          -- minutes since 1970-01-01 UTC
        cast(sum(bpm) as bigint)
            as heart_rate_sum_bpm,  -- beats/min, sum over the minute's valid samples
        cast(count(*) as bigint)
            as sample_count     -- valid samples in the minute

    from chosen_samples

    group by user_id, local_date, minute_number

)

select * from minutes
