-- counter_minutes: what the minutes of a person's counter come to.
--
-- grain:    user_id, local_date, minute_number
-- inputs:   stg_counter_steps
-- build:    view

with

readings as (

    select
        *,
        measured_us // 1000 as from_ms,
        unnest(generate_series(measured_us // 60000000, (measured_us + cast(period_ms as bigint) * 1000 - 1) // 60000000)) as minute_number

    from stg_counter_steps

    where period_ms > 0

),

minutes as (

    select
        user_id,
        local_date,
        minute_number,
        cast(sum(
            cast(value as bigint) * (least(from_ms + period_ms, minute_number * 60000 + 60000) - from_ms) // period_ms
            - cast(value as bigint) * (greatest(from_ms, minute_number * 60000) - from_ms) // period_ms
        ) as bigint) as step_count,
        count(*) as sample_count

    from readings

    group by user_id, local_date, minute_number

)

select * from minutes
