-- heart_rate_days: one row per person and local date with at least one heart-rate sample.
--
-- grain:    user_id, local_date
-- inputs:   stg_heart_rate
-- build:    table
-- source:   lowest, highest and mean of the valid samples; the mean is over minutes, so that minutes with many samples
--           weigh no more than minutes with one (methods, global conventions 2)
-- audit:    heart_rate_min_bpm <= heart_rate_mean_bpm
-- audit:    heart_rate_mean_bpm <= heart_rate_max_bpm
-- audit:    measured_min between 1 and sample_count
-- caution:  lowest and highest are single samples; the mean says nothing about minutes that were not measured
-- method:   heart_rate_days/1

with

minutes as (

    select
        stg_heart_rate.user_id,
        stg_heart_rate.local_date,
        stg_heart_rate.heart_rate_min_bpm,
        stg_heart_rate.heart_rate_max_bpm,
        stg_heart_rate.sample_count,
        -- Decimal, because a sum of doubles depends on the order of its terms.
        cast(cast(stg_heart_rate.heart_rate_sum_bpm as double) / stg_heart_rate.sample_count as decimal(38, 20))
            as heart_rate_mean_bpm

    from stg_heart_rate
    inner join dirty_days
        on stg_heart_rate.user_id = dirty_days.user_id
        and stg_heart_rate.local_date = dirty_days.local_date

),

day_sums as (

    select
        user_id,
        local_date,
        min(heart_rate_min_bpm) as heart_rate_min_bpm,
        sum(heart_rate_mean_bpm) as heart_rate_mean_sum_bpm,
        max(heart_rate_max_bpm) as heart_rate_max_bpm,
        sum(sample_count) as sample_count,
        count(*) as measured_min

    from minutes

    group by user_id, local_date

),

days as (

    select
        user_id,                    -- person
        local_date,                 -- the person's date
        heart_rate_min_bpm,         -- beats/min, lowest valid sample
        -- A quotient is rounded in its last place; the mean of equal minutes must not leave their range by it.
        least(greatest(cast(heart_rate_mean_sum_bpm as double) / measured_min, heart_rate_min_bpm), heart_rate_max_bpm)
            as heart_rate_mean_bpm, -- beats/min, mean over the measured minutes of each minute's mean
        heart_rate_max_bpm,         -- beats/min, highest valid sample
        cast(sample_count as bigint)
            as sample_count,        -- valid samples
        cast(measured_min as integer)
            as measured_min,        -- min with at least one valid sample
        'heart_rate_days/1'
            as method_version       -- formula of this row

    from day_sums

)

select * from days
