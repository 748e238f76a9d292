-- heart_rate_nights: one row per person and night of known onset with heart rate in the main sleep.
--
-- grain:    user_id, night_date
-- inputs:   stg_day_samples, stg_night_dates, definitions
-- build:    table
-- lookback: 2 days
-- daily:    sleep_nights
-- dates:    stg_night_dates
-- reach:    2 days
-- go:       heart_rate_nights
-- order:    user_id, night_date, local_date
-- output:   user_id varchar: person
-- output:   night_date date: the person's date of waking
-- output:   heart_rate_min_bpm double: beats/min, mean of the lowest minute
-- output:   heart_rate_mean_bpm double: beats/min, mean over the measured minutes
-- output:   lowest_half_hour_bpm double: beats/min, lowest 30-minute mean; null when no half hour was measured well
-- output:   half_hour_measured_min integer: min measured in the fullest of those half hours
-- output:   measured_min integer: min of the main sleep with heart rate
-- output:   sleep_period_min integer: min from onset to offset
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

dates_of_nights as (

    select
        stg_night_dates.user_id,
        stg_night_dates.night_date,
        stg_night_dates.local_date,
        date_diff('minute', timestamptz '1970-01-01 00:00:00+00', stg_night_dates.sleep_onset_at) as first_minute,
        date_diff('minute', timestamptz '1970-01-01 00:00:00+00', stg_night_dates.sleep_offset_at) as end_minute

    from stg_night_dates
    inner join dirty_days
        on stg_night_dates.user_id = dirty_days.user_id
        and stg_night_dates.night_date = dirty_days.local_date

),

-- In a list of minutes a negative number stands for so many more, each a minute later.
dates as (

    select
        dates_of_nights.user_id,
        dates_of_nights.night_date,
        stg_day_samples.local_date,
        cast(dates_of_nights.first_minute as integer) as first_minute,
        cast(dates_of_nights.end_minute as integer) as end_minute,
        stg_day_samples.heart_rate_minutes,
        stg_day_samples.heart_rate_sums_bpm,
        stg_day_samples.heart_rate_sample_counts,
        array_length(stg_day_samples.heart_rate_sums_bpm) as measured_min,
        array_extract(stg_day_samples.heart_rate_minutes, 1) as first_measured_minute,
        case
            when array_extract(stg_day_samples.heart_rate_minutes, -1) < 0
                then array_extract(stg_day_samples.heart_rate_minutes, -2) - array_extract(stg_day_samples.heart_rate_minutes, -1)
            else array_extract(stg_day_samples.heart_rate_minutes, -1)
        end as last_measured_minute

    from stg_day_samples
    inner join dates_of_nights
        on stg_day_samples.user_id = dates_of_nights.user_id
        and stg_day_samples.local_date = dates_of_nights.local_date

    where stg_day_samples.heart_rate_minutes is not null

),

-- Where among the measured minutes the night can be: these only grow, so that no place lies further from the first, or from
-- the last, than its minute does.
places as (

    select
        dates.*,
        greatest(1, measured_min - (last_measured_minute - first_minute)) as first_place,
        least(measured_min, end_minute - first_measured_minute) as last_place

    from dates

),

-- Whole dates took three times as long to sort and to hand over.
minutes as (

    select
        places.user_id,
        places.night_date,
        places.local_date,
        places.first_minute,
        places.end_minute,
        places.heart_rate_minutes,
        array_slice(places.heart_rate_sums_bpm, places.first_place, places.last_place) as heart_rate_sums_bpm,
        array_slice(places.heart_rate_sample_counts, places.first_place, places.last_place) as heart_rate_sample_counts,
        cast(places.first_place as integer) as first_place,
        rules.window_min,
        rules.window_measured_min

    from places
    cross join rules

    where places.first_place <= places.last_place

)

select * from minutes
