-- stg_intensity: a person's activity class, minute by minute, from the one device that stands for that minute.
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
        intensity_level,        -- 0 sedentary, 1 light, 2 moderate, 3 vigorous; the highest in the minute
        cast(intensity_sample_count as bigint)
            as sample_count     -- samples in the minute

    from stg_minutes

    where intensity_sample_count is not null

)

select * from minutes
