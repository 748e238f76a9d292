-- hrv_baselines: one row per person and night with a nightly RMSSD: where the week stands in the person's own band.
--
-- grain:    user_id, night_date
-- inputs:   hrv_nights, definitions
-- build:    table
-- lookback: person
-- reach:    forward
-- source:   mean of ln RMSSD over 7 days against the mean of 60 days +- 0.5 SD (Plews 2012, 2013; methods 2.7); at least 4
--           nights of the 7 days and 21 of the 60 (product rule H7)
-- audit:    hrv_status in ('balanced', 'high', 'low', 'no_status')
-- audit:    (hrv_status = 'no_status') = (band_low_ms is null)
-- audit:    band_low_ms <= band_high_ms
-- audit:    week_night_count between 1 and 7 and baseline_night_count between 1 and 60
-- caution:  high is not good and low is not bad: both say that the week differs from the person's own usual
-- method:   hrv_baselines/1

with

rules as (

    select
        cast(max(case when name = 'hrv_week_days' then value end) as integer) as week_days,
        max(case when name = 'hrv_week_night_count' then value end) as week_night_count,
        cast(max(case when name = 'hrv_baseline_days' then value end) as integer) as baseline_days,
        max(case when name = 'hrv_baseline_night_count' then value end) as baseline_night_count,
        max(case when name = 'hrv_band_sd' then value end) as band_sd

    from definitions

),

-- Decimals, because a sum of doubles depends on the order of its terms.
nights as (

    select
        user_id,
        night_date,
        method_version,
        cast(ln(hrv_rmssd_ms) as decimal(18, 14)) as ln_rmssd,
        cast(ln(hrv_rmssd_ms) * ln(hrv_rmssd_ms) as decimal(18, 14)) as ln_rmssd_squared

    from hrv_nights

    where hrv_rmssd_ms is not null

),

spans as (

    select
        today.user_id,
        today.night_date,
        count(*) as baseline_n,
        sum(earlier.ln_rmssd) as baseline_sum,
        sum(earlier.ln_rmssd_squared) as baseline_squares,
        count(case when earlier.night_date > today.night_date - rules.week_days then 1 end) as week_n,
        sum(case when earlier.night_date > today.night_date - rules.week_days then earlier.ln_rmssd end) as week_sum,
        sum(case when earlier.night_date > today.night_date - rules.week_days then earlier.ln_rmssd_squared end) as week_squares

    from nights as today
    inner join dirty_days
        on today.user_id = dirty_days.user_id
        and today.night_date = dirty_days.local_date
    cross join rules
    inner join nights as earlier
        on today.user_id = earlier.user_id
        and earlier.night_date <= today.night_date
        and earlier.night_date > today.night_date - rules.baseline_days
        and today.method_version = earlier.method_version

    group by today.user_id, today.night_date

),

means as (

    select
        user_id,
        night_date,
        week_n,
        baseline_n,
        cast(week_sum as double) / week_n as week_mean,
        cast(baseline_sum as double) / baseline_n as baseline_mean,
        case
            when week_n > 1
                then sqrt(
                    greatest(0, cast(week_squares as double) - cast(week_sum as double) * cast(week_sum as double) / week_n)
                    / (week_n - 1)
                )
        end as week_sd,
        case
            when baseline_n > 1
                then sqrt(
                    greatest(
                        0, cast(baseline_squares as double) - cast(baseline_sum as double) * cast(baseline_sum as double) / baseline_n
                    )
                    / (baseline_n - 1)
                )
        end as baseline_sd

    from spans

),

bands as (

    select
        means.*,
        means.week_n >= rules.week_night_count as is_week,
        means.week_n >= rules.week_night_count and means.baseline_n >= rules.baseline_night_count as is_judged,
        means.baseline_mean - rules.band_sd * means.baseline_sd as band_low,
        means.baseline_mean + rules.band_sd * means.baseline_sd as band_high

    from means
    cross join rules

),

days as (

    select
        user_id,                        -- person
        night_date,                     -- the person's date of waking
        case
            when not is_judged then 'no_status'
            when week_mean < band_low then 'low'
            when week_mean > band_high then 'high'
            else 'balanced'
        end
            as hrv_status,              -- balanced, low or high: the week against the band; no_status: too few nights
        case when is_week then exp(week_mean) end
            as hrv_rmssd_week_ms,       -- ms, geometric mean of the nightly RMSSD of 7 days; null with fewer than 4 nights
        case when is_week then 100 * week_sd / week_mean end
            as hrv_ln_rmssd_week_cv_pct, -- %, coefficient of variation of ln RMSSD over 7 days; null with fewer than 4 nights
        case when is_judged then exp(baseline_mean) end
            as hrv_rmssd_baseline_ms,   -- ms, geometric mean of the nightly RMSSD of 60 days; null without a status
        case when is_judged then exp(band_low) end
            as band_low_ms,             -- ms, lower bound of the band; null without a status
        case when is_judged then exp(band_high) end
            as band_high_ms,            -- ms, upper bound of the band; null without a status
        cast(week_n as integer)
            as week_night_count,        -- nights of the 7 days up to this one
        cast(baseline_n as integer)
            as baseline_night_count,    -- nights of the 60 days up to this one
        'hrv_baselines/1'
            as method_version           -- formula of this row

    from bands

)

select * from days
