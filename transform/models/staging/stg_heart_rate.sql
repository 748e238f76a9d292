-- stg_heart_rate: a person's heart rate, minute by minute, from the one device that stands for that minute.
--
-- grain:    user_id, local_date, minute_number
-- inputs:   stg_day_samples
-- build:    view
-- caution:  a sample counts for the minute it starts in, however long its period

with

-- A negative number stands for so many minutes more, one after the other.
minutes as (

    select
        user_id,
        local_date,
        unnest(flatten(list_transform(
            range(1, len(heart_rate_minutes) + 1),
            lambda i: case
                when heart_rate_minutes[i] >= 0 then [heart_rate_minutes[i]]
                else range(heart_rate_minutes[i - 1] + 1, heart_rate_minutes[i - 1] + 1 - heart_rate_minutes[i])
            end
        ))) as minute_number,
        unnest(heart_rate_sums_bpm) as heart_rate_sum_bpm,
        unnest(heart_rate_mins_bpm) as heart_rate_min_bpm,
        unnest(heart_rate_maxs_bpm) as heart_rate_max_bpm,
        unnest(heart_rate_sample_counts) as sample_count

    from stg_day_samples

),

beats as (

    select
        user_id,                -- person
        local_date,             -- the person's date
        cast(minute_number as bigint)
            as minute_number,   -- minutes since 1970-01-01 UTC
        coalesce(heart_rate_min_bpm, heart_rate_sum_bpm)
            as heart_rate_min_bpm,  -- beats/min, lowest sample of the minute
        cast(heart_rate_sum_bpm as bigint)
            as heart_rate_sum_bpm,  -- beats/min, sum over the minute's samples: divided by sample_count, their mean
        coalesce(heart_rate_max_bpm, heart_rate_sum_bpm)
            as heart_rate_max_bpm,  -- beats/min, highest sample of the minute
        cast(coalesce(sample_count, 1) as bigint)
            as sample_count     -- samples in the minute

    from minutes

)

select * from beats
