-- stg_heart_rate: a person's heart rate, minute by minute, from the one device that stands for that minute.
--
-- grain:    user_id, local_date, minute_number
-- inputs:   naive_heart_samples, naive_device_minutes
-- build:    view

with

minutes as (

    select
        samples.user_id,
        samples.local_date,
        samples.minute_number,
        min(samples.bpm) as heart_rate_min_bpm,
        cast(sum(samples.bpm) as bigint) as heart_rate_sum_bpm,
        max(samples.bpm) as heart_rate_max_bpm,
        count(*) as sample_count

    from naive_heart_samples as samples
    inner join naive_device_minutes
        on samples.user_id = naive_device_minutes.user_id
        and samples.local_date = naive_device_minutes.local_date
        and samples.device_id = naive_device_minutes.device_id
        and samples.minute_number = naive_device_minutes.minute_number

    where naive_device_minutes.metric = 'heart_rate'

    group by samples.user_id, samples.local_date, samples.minute_number

)

select * from minutes
