-- heart_rate_dips: one row per person and valid night: how much slower the heart was asleep than awake on that date.
--
-- grain:    user_id, night_date
-- inputs:   heart_rate_nights, sleep_nights, sleep_episodes, stg_heart_rate, definitions
-- build:    table
-- lookback: 2 days around
-- reach:    2 days around
-- source:   100 x (mean awake - mean asleep) / mean awake; needs 6 h of wear awake and a valid night (methods 2.5)
-- audit:    asleep_mean_bpm between 25 and 230 and awake_mean_bpm between 25 and 230
-- audit:    awake_measured_min >= 360
-- audit:    dip_pct < 100
-- caution:  awake are the date's minutes outside all sleeps and naps, so a late evening counts for the morning's night; the
--           threshold of 10 % that people know is one of blood pressure and says nothing here
-- method:   heart_rate_dips/1

with

rules as (

    select
        max(case when name = 'dip_awake_min' then value end) as awake_min,
        max(case when name = 'valid_night_in_bed_min' then value end) as in_bed_min

    from definitions

),

-- The dates that a time in bed may touch, one by one.
times_in_bed as (

    select
        sleep_episodes.user_id,
        sleep_episodes.night_date + shifts.days as local_date,
        date_diff('minute', timestamptz '1970-01-01 00:00:00+00', sleep_episodes.started_at) as first_minute,
        date_diff('minute', timestamptz '1970-01-01 00:00:00+00', sleep_episodes.ended_at) as end_minute

    from sleep_episodes
    cross join (
        values (-2), (-1), (0), (1), (2)
    ) as shifts (days)

),

waking_minutes as (

    select
        stg_heart_rate.user_id,
        stg_heart_rate.local_date,
        -- Decimal, because a sum of doubles depends on the order of its terms.
        cast(cast(stg_heart_rate.heart_rate_sum_bpm as double) / stg_heart_rate.sample_count as decimal(38, 12))
            as heart_rate_bpm

    from stg_heart_rate
    inner join dirty_days
        on stg_heart_rate.user_id = dirty_days.user_id
        and stg_heart_rate.local_date = dirty_days.local_date
    left join times_in_bed
        on stg_heart_rate.user_id = times_in_bed.user_id
        and stg_heart_rate.local_date = times_in_bed.local_date
        and stg_heart_rate.minute_number >= times_in_bed.first_minute
        and stg_heart_rate.minute_number < times_in_bed.end_minute

    where times_in_bed.user_id is null

),

waking_days as (

    select
        user_id,
        local_date,
        count(*) as awake_measured_min,
        cast(sum(heart_rate_bpm) as double) / count(*) as awake_mean_bpm

    from waking_minutes

    group by user_id, local_date

),

nights as (

    select
        heart_rate_nights.user_id,      -- person
        heart_rate_nights.night_date,   -- the person's date of waking
        waking_days.awake_mean_bpm,     -- beats/min, mean over the date's minutes out of bed
        heart_rate_nights.heart_rate_mean_bpm
            as asleep_mean_bpm,         -- beats/min, mean of the main sleep
        100 * (waking_days.awake_mean_bpm - heart_rate_nights.heart_rate_mean_bpm) / waking_days.awake_mean_bpm
            as dip_pct,                 -- %, how much slower asleep than awake
        cast(waking_days.awake_measured_min as integer)
            as awake_measured_min,      -- min measured out of bed
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
