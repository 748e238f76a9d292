-- stg_counter_minutes: what the minutes of a person's counter come to.
--
-- grain:    user_id, local_date, minute_number
-- inputs:   stg_counter_steps
-- build:    view

with

minutes as (

    select
        user_id,
        local_date,
        measured_us // 60000000 as minute_number,
        cast(sum(value) as bigint) as step_count,
        cast(count(*) as bigint) as sample_count

    from stg_counter_steps

    group by user_id, local_date, measured_us // 60000000

)

select * from minutes
