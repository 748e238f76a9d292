-- heart_rate_nights: one row per person and night of known onset with heart rate in the main sleep.
--
-- grain:    user_id, night_date
-- inputs:   stg_heart_rate, sleep_nights, definitions
-- build:    table
-- lookback: 2 days
-- reach:    2 days
-- source:   figures over the minutes' means; the lowest half hour is the lowest 30-minute mean of at least 20 measured
--           minutes, within the sleep (methods 2.2)
-- audit:    heart_rate_min_bpm between 25 and 230
-- audit:    heart_rate_mean_bpm >= heart_rate_min_bpm
-- audit:    lowest_half_hour_bpm is null or lowest_half_hour_bpm >= heart_rate_min_bpm
-- audit:    measured_min between 1 and sleep_period_min + 1
-- audit:    half_hour_measured_min between 1 and 30
-- caution:  the minutes awake between onset and offset are among them
-- method:   heart_rate_nights/1

with

rules as (

    select
        max(case when name = 'resting_window_min' then value end) as window_min,
        max(case when name = 'resting_window_measured_min' then value end) as window_measured_min

    from definitions

),

nights as (

    select
        sleep_nights.user_id,
        sleep_nights.night_date,
        date_diff('minute', timestamptz '1970-01-01 00:00:00+00', sleep_nights.sleep_onset_at) as first_minute,
        date_diff('minute', timestamptz '1970-01-01 00:00:00+00', sleep_nights.sleep_offset_at) as end_minute

    from sleep_nights
    inner join dirty_days
        on sleep_nights.user_id = dirty_days.user_id
        and sleep_nights.night_date = dirty_days.local_date

    where sleep_nights.sleep_onset_at is not null

),

-- The dates a night's minutes may lie on, one by one: joined by equal dates, a person's nights do not meet all of the
-- person's minutes.
dates_of_nights as (

    select
        nights.*,
        nights.night_date as local_date

    from nights

    union all

    select
        nights.*,
        nights.night_date - 1 as local_date

    from nights

    union all

    select
        nights.*,
        nights.night_date - 2 as local_date

    from nights

),

recorded_minutes as (

    select
        dates_of_nights.user_id,
        dates_of_nights.night_date,
        dates_of_nights.end_minute,
        stg_heart_rate.minute_number,
        lag(stg_heart_rate.minute_number) over (
            partition by dates_of_nights.user_id, dates_of_nights.night_date
            order by stg_heart_rate.minute_number, stg_heart_rate.local_date
        ) as minute_before,
        -- Decimal, because a sum of doubles depends on the order of its terms.
        cast(cast(stg_heart_rate.heart_rate_sum_bpm as double) / stg_heart_rate.sample_count as decimal(38, 12))
            as heart_rate_bpm

    from dates_of_nights
    inner join stg_heart_rate
        on dates_of_nights.user_id = stg_heart_rate.user_id
        and dates_of_nights.local_date = stg_heart_rate.local_date
        and stg_heart_rate.minute_number >= dates_of_nights.first_minute
        and stg_heart_rate.minute_number < dates_of_nights.end_minute

),

-- Devices that disagree about the date have the same minute on each of theirs; the first stands for it.
minutes as (

    select *

    from recorded_minutes

    where minute_number is distinct from minute_before

),

-- Each window begins with a measured minute and lies within the sleep.
windows as (

    select
        minutes.user_id,
        minutes.night_date,
        minutes.minute_number,
        minutes.end_minute,
        minutes.heart_rate_bpm,
        sum(minutes.heart_rate_bpm) over half_hour as window_sum_bpm,
        count(*) over half_hour as measured_min

    from minutes

    window half_hour as (
        partition by minutes.user_id, minutes.night_date
        order by minutes.minute_number
        range between current row and 29 following
    )

),

half_hours as (

    select
        windows.user_id,
        windows.night_date,
        windows.heart_rate_bpm,
        windows.measured_min,
        case
            when
                windows.measured_min >= rules.window_measured_min
                and windows.minute_number + rules.window_min <= windows.end_minute
                then cast(windows.window_sum_bpm as double) / windows.measured_min
        end as half_hour_bpm

    from windows
    cross join rules

),

night_sums as (

    select
        user_id,
        night_date,
        min(heart_rate_bpm) as heart_rate_min_bpm,
        sum(heart_rate_bpm) as heart_rate_sum_bpm,
        count(*) as measured_min,
        min(half_hour_bpm) as lowest_half_hour_bpm,
        max(case when half_hour_bpm is not null then measured_min end) as half_hour_measured_min

    from half_hours

    group by user_id, night_date

),

days as (

    select
        night_sums.user_id,             -- person
        night_sums.night_date,          -- the person's date of waking
        cast(night_sums.heart_rate_min_bpm as double)
            as heart_rate_min_bpm,      -- beats/min, mean of the lowest minute
        greatest(
            cast(night_sums.heart_rate_sum_bpm as double) / night_sums.measured_min,
            cast(night_sums.heart_rate_min_bpm as double)
        )
            as heart_rate_mean_bpm,     -- beats/min, mean over the measured minutes
        greatest(night_sums.lowest_half_hour_bpm, cast(night_sums.heart_rate_min_bpm as double))
            as lowest_half_hour_bpm,    -- beats/min, lowest 30-minute mean; null when no half hour was measured well
        cast(night_sums.half_hour_measured_min as integer)
            as half_hour_measured_min,  -- min measured in the fullest of those half hours
        cast(night_sums.measured_min as integer)
            as measured_min,            -- min of the main sleep with heart rate
        cast(nights.end_minute - nights.first_minute as integer)
            as sleep_period_min,        -- min from onset to offset
        'heart_rate_nights/1'
            as method_version           -- formula of this row

    from night_sums
    inner join nights
        on night_sums.user_id = nights.user_id
        and night_sums.night_date = nights.night_date

)

select * from days
