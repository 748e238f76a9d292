-- vitals_nights: one row per person and night with oxygen saturation, breath or skin temperature measured while asleep.
--
-- grain:    user_id, night_date
-- inputs:   stg_night_dates, stg_day_samples, daily_summaries, definitions
-- build:    table
-- lookback: 2 days
-- daily:    sleep_nights
-- dates:    stg_night_dates
-- reach:    2 days
-- go:       vitals_nights
-- order:    user_id, night_date, local_date
-- output:   user_id varchar: person
-- output:   night_date date: the person's date of waking
-- output:   oxygen_saturation_valid_min integer: min asleep with a valid oxygen saturation; null when none
-- output:   oxygen_saturation_mean_pct double: %, null with less than 4 valid hours
-- output:   oxygen_saturation_min_pct double: %, the lowest minute
-- output:   oxygen_saturation_p5_pct double: %, 5th percentile of the minutes
-- output:   oxygen_saturation_median_pct double: %, median of the minutes
-- output:   oxygen_saturation_below_90_pct double: % of the valid time below 90 % (T90)
-- output:   respiratory_rate_measured_min integer: min asleep with a breath rate; null when none
-- output:   respiratory_rate_per_min double: breaths/min, median of the minutes, else the source's own figure
-- output:   respiratory_rate_source varchar: minutes or summary
-- output:   skin_temperature_measured_min integer: min asleep with a skin temperature; null when none
-- output:   skin_temperature_mean_c double: degrees Celsius, mean of the minutes
-- source:   minutes between onset and offset of the main sleep; oxygen saturation as mean, lowest, median, 5th percentile and
--           time below 90 %, of at least 4 valid hours (methods 4.1); nightly median of breath (methods 4.6) and mean of
--           skin temperature (methods 4.5)
-- audit:    oxygen_saturation_min_pct <= oxygen_saturation_p5_pct
-- audit:    oxygen_saturation_p5_pct <= oxygen_saturation_median_pct
-- audit:    oxygen_saturation_below_90_pct between 0 and 100
-- audit:    respiratory_rate_source in ('minutes', 'summary')
-- audit:    (respiratory_rate_per_min is null) = (respiratory_rate_source is null)
-- caution:  a watch errs by 2 to 4 % in oxygen saturation, more on dark skin and cold hands; a minute with a value below 70 %
--           is left out; how often it sinks is not told from minutes, see oxygen_desaturation_nights; a night known by its
--           sums alone has breath from the source's own summary at most
-- method:   vitals_nights/1

with

rules as (

    select
        max(case when name = 'oxygen_saturation_min_permille' then value end) as oxygen_min,
        max(case when name = 'oxygen_saturation_low_permille' then value end) as oxygen_low,
        max(case when name = 'oxygen_saturation_valid_min' then value end) as oxygen_valid_min,
        max(case when name = 'oxygen_saturation_percentile' then value end) as oxygen_percentile,
        max(case when name = 'night_vital_measured_min' then value end) as measured_min

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

measured_dates as (

    select
        dates_of_nights.user_id,
        dates_of_nights.night_date,
        dates_of_nights.local_date,
        cast(dates_of_nights.first_minute as integer) as first_minute,
        cast(dates_of_nights.end_minute as integer) as end_minute,
        stg_day_samples.oxygen_saturation_minutes,
        stg_day_samples.oxygen_saturation_sums_permille,
        stg_day_samples.oxygen_saturation_mins_permille,
        stg_day_samples.oxygen_saturation_sample_counts,
        stg_day_samples.oxygen_saturation_covered_mins,
        stg_day_samples.respiratory_rate_minutes,
        stg_day_samples.respiratory_rate_sums_milli_per_min,
        stg_day_samples.respiratory_rate_sample_counts,
        stg_day_samples.respiratory_rate_covered_mins,
        stg_day_samples.skin_temperature_minutes,
        stg_day_samples.skin_temperature_sums_mcel,
        stg_day_samples.skin_temperature_sample_counts,
        stg_day_samples.skin_temperature_covered_mins

    from stg_day_samples
    inner join dates_of_nights
        on stg_day_samples.user_id = dates_of_nights.user_id
        and stg_day_samples.local_date = dates_of_nights.local_date

    where
        stg_day_samples.oxygen_saturation_minutes is not null
        or stg_day_samples.respiratory_rate_minutes is not null
        or stg_day_samples.skin_temperature_minutes is not null

),

summaries as (

    select
        daily_summaries.user_id,
        daily_summaries.local_date as night_date,
        daily_summaries.value,
        row_number() over (
            partition by daily_summaries.user_id, daily_summaries.local_date
            order by
                case daily_summaries.source when 'native' then 1 when 'import' then 2 else 3 end,
                daily_summaries.device_id
        ) as preference

    from daily_summaries
    inner join dirty_days
        on daily_summaries.user_id = dirty_days.user_id
        and daily_summaries.local_date = dirty_days.local_date

    where daily_summaries.metric = 'respiratory_rate'

),

told_nights as (

    select
        user_id,
        night_date,
        value as told_milli_per_min

    from summaries

    where preference = 1

),

-- A row of its own, for a night that the source told of may have none that is measured.
dates_and_words as (

    select
        measured_dates.*,
        cast(null as integer) as told_milli_per_min

    from measured_dates

    union all

    select
        user_id,
        night_date,
        night_date as local_date,
        null as first_minute,
        null as end_minute,
        null as oxygen_saturation_minutes,
        null as oxygen_saturation_sums_permille,
        null as oxygen_saturation_mins_permille,
        null as oxygen_saturation_sample_counts,
        null as oxygen_saturation_covered_mins,
        null as respiratory_rate_minutes,
        null as respiratory_rate_sums_milli_per_min,
        null as respiratory_rate_sample_counts,
        null as respiratory_rate_covered_mins,
        null as skin_temperature_minutes,
        null as skin_temperature_sums_mcel,
        null as skin_temperature_sample_counts,
        null as skin_temperature_covered_mins,
        told_milli_per_min

    from told_nights

),

nights_with_vitals as (

    select
        dates_and_words.*,
        rules.*

    from dates_and_words
    cross join rules

)

select * from nights_with_vitals
