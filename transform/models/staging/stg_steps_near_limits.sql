-- stg_steps_near_limits: the minutes with steps in and just before the hours in which a person's heart rate went near a limit
-- of an episode, by any device: the device with the most steps in the minute counts.
--
-- grain:    user_id, local_date, minute_number
-- inputs:   silver.series_hours, stg_heart_rate_near_limits
-- build:    view

with

hours as (

    select distinct
        user_id,
        minute_number - minute_number % 60 - unnest([0, 60]) as first_minute

    from stg_heart_rate_near_limits

),

step_hours as (

    select
        series_hours.user_id,
        series_hours.local_date,
        series_hours.device_id,
        epoch_us(series_hours.hour_at) // 1000 as hour_ms,
        series_hours.period_ms,
        len(series_hours.offsets_ms) = 1 and series_hours.period_ms > 0 as is_regular,
        series_hours.offsets_ms,
        series_hours."values"

    from silver.series_hours
    inner join hours
        on series_hours.user_id = hours.user_id
        and epoch_us(series_hours.hour_at) // 60000000 = hours.first_minute

    where series_hours.metric = 'steps'

),

timed_samples as (

    select
        user_id,
        local_date,
        device_id,
        hour_ms,
        case when is_regular then offsets_ms[1] end as first_offset_ms,
        cast(period_ms as bigint) as period_ms,
        unnest(case when is_regular then cast([] as integer[]) else offsets_ms end) as offset_ms,
        generate_subscripts("values", 1) - 1 as sample_index,
        unnest("values") as step_count

    from step_hours

),

-- A longer sample may have its steps in any of its minutes.
spans as (

    select
        user_id,
        local_date,
        device_id,
        hour_ms + coalesce(offset_ms, first_offset_ms + sample_index * period_ms) as from_ms,
        greatest(period_ms, 1) as length_ms,
        step_count

    from timed_samples

    where step_count > 0

),

device_minutes as (

    select
        user_id,
        local_date,
        device_id,
        unnest(generate_series(from_ms // 60000, (from_ms + length_ms - 1) // 60000)) as minute_number,
        case when length_ms <= 60000 then step_count end as step_count

    from spans

),

device_sums as (

    select
        user_id,
        local_date,
        device_id,
        minute_number,
        sum(step_count) as step_count

    from device_minutes

    group by user_id, local_date, device_id, minute_number

),

minutes as (

    select
        user_id,            -- person
        local_date,         -- the person's date
        minute_number,      -- minutes since 1970-01-01 UTC
        cast(max(step_count) as bigint)
            as step_count   -- steps of the minute; null when only a longer sample tells of them

    from device_sums

    group by user_id, local_date, minute_number

)

select * from minutes
