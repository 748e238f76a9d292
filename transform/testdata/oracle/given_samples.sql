-- given_samples: samples of every series as minutes have them: amounts that were counted over more than a minute are shared
-- out by time, classes that were told for several minutes are repeated, until midnight.
--
-- grain:    user_id, local_date, metric, device_id, measured_us, minute_number
-- inputs:   stg_series_samples
-- build:    view

with

samples as (

    select
        *,
        measured_us // 1000 as from_ms,
        least(
            measured_us // 1000 + period_ms,
            (measured_us // 60000000 + utc_offset_min) // 1440 * 86400000 + 86400000 - utc_offset_min * 60000
        ) as until_ms,
        metric in ('steps', 'distance', 'floors', 'active_energy') and period_ms > 60000 as is_shared_out

    from stg_series_samples

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
