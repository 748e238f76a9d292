-- stg_heart_rate: a person's heart rate, minute by minute, from the one device that stands for that minute.
--
-- grain:    user_id, local_date, minute_number
-- inputs:   stg_minutes
-- build:    view
-- caution:  a sample counts for the minute it starts in, however long its period

with

minutes as (

    select
        user_id,                -- person
        local_date,             -- the person's date
        cast(minute_number as bigint)
            as minute_number,   -- minutes since 1970-01-01 UTC
        local_minute // 60
            as local_hour,      -- 0 to 23 on the person's clock
        heart_rate_min_bpm,     -- beats/min, lowest sample of the minute
        cast(heart_rate_sum_bpm as bigint)
            as heart_rate_sum_bpm,  -- beats/min, sum over the minute's samples: divided by sample_count, their mean
        heart_rate_max_bpm,     -- beats/min, highest sample of the minute
        cast(heart_rate_sample_count as bigint)
            as sample_count     -- samples in the minute

    from stg_minutes

    where heart_rate_sample_count is not null

)

select * from minutes
