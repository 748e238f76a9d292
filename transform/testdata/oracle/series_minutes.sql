-- series_minutes: what is measured by the minute, from the one device that stands for that minute.
--
-- grain:    user_id, local_date, metric, minute_number
-- inputs:   naive_given_samples, naive_device_minutes
-- build:    view

with

held as (

    select
        user_id,
        local_date,
        metric,
        device_id,
        start_number,
        min(minute_number) as minute_number,
        count(*) as covered_min

    from naive_device_minutes

    group by user_id, local_date, metric, device_id, start_number

),

minutes as (

    select
        held.user_id,
        held.local_date,
        held.metric,
        held.minute_number,
        held.covered_min,
        min(cast((held.minute_number + samples.utc_offset_min) // 60 % 24 as integer)) as local_hour,
        min(samples.value) as value_min,
        cast(sum(samples.value) as bigint) as value_sum,
        max(samples.value) as value_max,
        count(*) as sample_count

    from held
    inner join naive_given_samples as samples
        on held.user_id = samples.user_id
        and held.local_date = samples.local_date
        and held.metric = samples.metric
        and held.device_id = samples.device_id
        and held.start_number = samples.minute_number

    group by held.user_id, held.local_date, held.metric, held.device_id, held.start_number, held.minute_number, held.covered_min

)

select * from minutes
