-- stg_heart_rate_held: how long a person's heart kept each rate on a date: the date's histogram, which adds up over dates,
-- and with it how much of the date was measured.
--
-- grain:    user_id, local_date, heart_rate_bpm
-- inputs:   stg_day_samples
-- build:    view
-- caution:  a date is made of its own samples: the last one of an evening is not held over midnight

with

rates as (

    select
        user_id,
        local_date,
        unnest(held_rates_bpm) as heart_rate_bpm,
        unnest(held_sample_counts) as sample_count,
        unnest(held_ms) as held_ms,
        unnest(held_weights_ms) as weight_ms,
        heart_rate_measured_min,
        heart_rate_refused_count,
        date_length_min,
        heart_rate_span_ms

    from stg_day_samples

),

histogram as (

    select
        user_id,                    -- person
        local_date,                 -- the person's date
        heart_rate_bpm,             -- beats/min
        cast(sample_count as bigint)
            as sample_count,        -- valid samples at the rate
        cast(held_ms as bigint)
            as held_ms,             -- ms in which the rate was seen: each sample until the next, spot values for 120 s at most
        cast(weight_ms as bigint)
            as weight_ms,           -- ms for which the rate stands in means and percentiles: spot values for 900 s at most
        heart_rate_measured_min
            as measured_min,        -- of the date: min in which a valid sample starts
        heart_rate_refused_count
            as refused_count,       -- of the date: samples left out, impossible, sentinels, or jumps
        date_length_min,            -- of the date: min it had, by the first and last offset recorded on it
        heart_rate_span_ms
            as span_ms              -- of the date: ms from the first valid sample to the end of the last

    from rates

)

select * from histogram
