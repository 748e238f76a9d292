-- heart_rate_days: one row per person and local date with at least one heart-rate sample.
--
-- grain:    user_id, local_date
-- inputs:   stg_heart_rate_held
-- build:    table
-- source:   samples without those that no heart can have (methods 2.1); mean and percentiles over time, so that an hour
--           by the second weighs no more than an hour of spot values (product rule H3); a percentile is the lowest rate at
--           or below which the heart was for that share of the time (PERCENTILE_DISC, methods 5.5)
-- audit:    heart_rate_min_bpm <= heart_rate_p5_bpm and heart_rate_p5_bpm <= heart_rate_p50_bpm
-- audit:    heart_rate_p50_bpm <= heart_rate_p95_bpm and heart_rate_p95_bpm <= heart_rate_max_bpm
-- audit:    heart_rate_mean_bpm between heart_rate_min_bpm and heart_rate_max_bpm
-- audit:    heart_rate_peak_bpm between heart_rate_min_bpm and heart_rate_max_bpm
-- audit:    measured_min between 1 and sample_count
-- audit:    refused_count >= 0
-- audit:    coverage_pct > 0
-- caution:  lowest and highest are single samples, and so may be the peak of spot values; the mean says nothing about time that was not measured
-- method:   heart_rate_days/1

with

rates as (

    select
        stg_heart_rate_held.user_id,
        stg_heart_rate_held.local_date,
        stg_heart_rate_held.heart_rate_bpm,
        stg_heart_rate_held.sample_count,
        stg_heart_rate_held.held_ms,
        stg_heart_rate_held.weight_ms,
        stg_heart_rate_held.measured_min,
        stg_heart_rate_held.refused_count,
        stg_heart_rate_held.date_length_min,
        sum(stg_heart_rate_held.weight_ms) over (
            partition by stg_heart_rate_held.user_id, stg_heart_rate_held.local_date
            order by stg_heart_rate_held.heart_rate_bpm
            rows between unbounded preceding and current row
        ) as weight_upto_ms,
        sum(stg_heart_rate_held.weight_ms) over (
            partition by stg_heart_rate_held.user_id, stg_heart_rate_held.local_date
        ) as date_weight_ms

    from stg_heart_rate_held
    inner join dirty_days
        on stg_heart_rate_held.user_id = dirty_days.user_id
        and stg_heart_rate_held.local_date = dirty_days.local_date

),

day_sums as (

    select
        user_id,
        local_date,
        min(heart_rate_bpm) as heart_rate_min_bpm,
        min(case when 100 * weight_upto_ms >= 5 * date_weight_ms then heart_rate_bpm end) as heart_rate_p5_bpm,
        min(case when 100 * weight_upto_ms >= 50 * date_weight_ms then heart_rate_bpm end) as heart_rate_p50_bpm,
        min(case when 100 * weight_upto_ms >= 95 * date_weight_ms then heart_rate_bpm end) as heart_rate_p95_bpm,
        -- What lies above the rate and at it: at least a minute, or all there is.
        max(
            case when date_weight_ms - weight_upto_ms + weight_ms >= least(60000, date_weight_ms) then heart_rate_bpm end
        ) as heart_rate_peak_bpm,
        max(heart_rate_bpm) as heart_rate_max_bpm,
        sum(heart_rate_bpm * weight_ms) as weighted_bpm_ms,
        sum(weight_ms) as weight_ms,
        sum(held_ms) as held_ms,
        sum(sample_count) as sample_count,
        max(measured_min) as measured_min,
        max(refused_count) as refused_count,
        max(date_length_min) as date_length_min

    from rates

    group by user_id, local_date

),

days as (

    select
        user_id,                -- person
        local_date,             -- the person's date
        heart_rate_min_bpm,     -- beats/min, lowest valid sample
        heart_rate_p5_bpm,      -- beats/min, 5 % of the measured time was at it or lower
        heart_rate_p50_bpm,     -- beats/min, half of the measured time was at it or lower
        -- A quotient is rounded in its last place; the mean of equal samples must not leave their range by it.
        least(
            greatest(cast(weighted_bpm_ms as double) / cast(weight_ms as double), heart_rate_min_bpm),
            heart_rate_max_bpm
        )
            as heart_rate_mean_bpm, -- beats/min, mean over the measured time
        heart_rate_p95_bpm,     -- beats/min, 95 % of the measured time was at it or lower
        heart_rate_peak_bpm,    -- beats/min, highest rate that was reached or passed for a minute in all, spot values until the next
        heart_rate_max_bpm,     -- beats/min, highest valid sample
        cast(sample_count as bigint)
            as sample_count,    -- valid samples
        refused_count,          -- samples left out: impossible, sentinels, or jumps
        measured_min,           -- min with at least one valid sample
        cast(floor(held_ms / 1000) as bigint)
            as covered_s,       -- s in which the rate was seen: each sample until the next, spot values 120 s at most
        least(100.0, cast(100 * measured_min as double) / date_length_min)
            as coverage_pct,    -- % of the date's minutes that were measured
        'heart_rate_days/1'
            as method_version   -- formula of this row

    from day_sums

)

select * from days
