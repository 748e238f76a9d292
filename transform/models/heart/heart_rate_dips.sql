-- heart_rate_dips: one row per person and valid night: how much slower the heart was asleep than awake on that date.
--
-- grain:    user_id, night_date
-- inputs:   heart_rate_nights, sleep_nights, stg_waking_hours, definitions
-- build:    table
-- lookback: 2 days around
-- reach:    2 days around
-- source:   100 x (mean awake - mean asleep) / mean awake; needs 6 h of wear awake and a valid night (methods 2.5)
-- audit:    asleep_mean_bpm between 25 and 230 and awake_mean_bpm between 25 and 230
-- audit:    awake_measured_min >= 360
-- audit:    dip_pct < 100
-- caution:  awake are the whole hours of the date out of bed; the threshold of 10 % that people know is one of blood
--           pressure and says nothing here
-- method:   heart_rate_dips/1

with

rules as (

    select
        max(case when name = 'dip_awake_min' then value end) as awake_min,
        max(case when name = 'valid_night_in_bed_min' then value end) as in_bed_min

    from definitions

),

waking_hours as (

    select
        stg_waking_hours.user_id,
        stg_waking_hours.local_date,
        stg_waking_hours.measured_min,
        -- Decimal, because a sum of doubles depends on the order of its terms.
        cast(
            cast(stg_waking_hours.rate_sum_bpm as double) * stg_waking_hours.measured_min / stg_waking_hours.sample_count
            as decimal(38, 12)
        ) as rate_minutes

    from stg_waking_hours
    inner join dirty_days
        on stg_waking_hours.user_id = dirty_days.user_id
        and stg_waking_hours.local_date = dirty_days.local_date

),

waking_days as (

    select
        user_id,
        local_date,
        sum(measured_min) as awake_measured_min,
        cast(sum(rate_minutes) as double) / cast(sum(measured_min) as double) as awake_mean_bpm

    from waking_hours

    group by user_id, local_date

),

nights as (

    select
        heart_rate_nights.user_id,      -- person
        heart_rate_nights.night_date,   -- the person's date of waking
        waking_days.awake_mean_bpm,     -- beats/min, mean of the date's waking hours
        heart_rate_nights.heart_rate_mean_bpm
            as asleep_mean_bpm,         -- beats/min, mean of the main sleep
        100 * (waking_days.awake_mean_bpm - heart_rate_nights.heart_rate_mean_bpm) / waking_days.awake_mean_bpm
            as dip_pct,                 -- %, how much slower asleep than awake
        cast(waking_days.awake_measured_min as integer)
            as awake_measured_min,      -- min measured in those waking hours
        heart_rate_nights.measured_min
            as asleep_measured_min,     -- min measured in the main sleep
        'heart_rate_dips/1'
            as method_version           -- formula of this row

    from heart_rate_nights
    inner join sleep_nights
        on heart_rate_nights.user_id = sleep_nights.user_id
        and heart_rate_nights.night_date = sleep_nights.night_date
    inner join waking_days
        on heart_rate_nights.user_id = waking_days.user_id
        and heart_rate_nights.night_date = waking_days.local_date
    cross join rules

    where
        waking_days.awake_measured_min >= rules.awake_min
        and sleep_nights.time_in_bed_min >= rules.in_bed_min

)

select * from nights
