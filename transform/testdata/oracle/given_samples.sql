-- given_samples: samples of every series as minutes have them: amounts that were counted over more than a minute, and what a
-- counter counted from one reading to the next, are shared out by time, classes that were told for several minutes are
-- repeated, until midnight.
--
-- grain:    user_id, local_date, metric, device_id, measured_us, minute_number
-- inputs:   stg_series_samples, stg_counter_steps
-- build:    view

with

counted as (

    select
        user_id,
        local_date,
        metric,
        device_id,
        source,
        utc_offset_min,
        period_ms,
        measured_us,
        value,
        (measured_us // 60000000 + utc_offset_min) // 1440 * 86400000 + 86400000 - utc_offset_min * 60000 as midnight_ms,
        metric in ('steps', 'distance', 'floors', 'active_energy') and period_ms > 60000 as is_shared_out

    from stg_series_samples

    union all

    select
        user_id,
        local_date,
        metric,
        device_id,
        source,
        utc_offset_min,
        period_ms,
        measured_us,
        value,
        null as midnight_ms, -- both readings are of the date
        true as is_shared_out

    from stg_counter_steps

    where period_ms > 0

),

samples as (

    select
        *,
        measured_us // 1000 as from_ms,
        least(measured_us // 1000 + period_ms, midnight_ms) as until_ms

    from counted

),

minutes as (

    select
        *,
        unnest(generate_series(
            measured_us // 60000000,
            case
                when is_shared_out then (until_ms - 1) // 60000
                when metric = 'intensity' then measured_us // 60000000 + greatest((until_ms - from_ms) // 60000, 1) - 1
                else measured_us // 60000000
            end
        )) as minute_number

    from samples

),

given as (

    select
        user_id,
        local_date,
        metric,
        device_id,
        source,
        utc_offset_min,
        period_ms,
        measured_us,
        minute_number,
        case
            when is_shared_out
                then cast(value as bigint) * (least(until_ms, minute_number * 60000 + 60000) - from_ms) // (until_ms - from_ms)
                    - cast(value as bigint) * (greatest(from_ms, minute_number * 60000) - from_ms) // (until_ms - from_ms)
            else value
        end as value

    from minutes

)

select * from given
