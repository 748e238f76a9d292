-- sleep_regularity: one row per person and night: when the person sleeps, how evenly, and how work days and free days differ.
--
-- grain:    user_id, night_date
-- inputs:   sleep_nights, sleep_day_pairs, work_days, definitions
-- build:    table
-- lookback: 89 days
-- reach:    89 days recorded
-- go:       sleep_regularity
-- order:    user_id, night_date, is_dirty
-- output:   user_id varchar: person
-- output:   night_date date: the person's date of waking
-- output:   timed_night_count integer: nights of the last 14 with an onset
-- output:   bedtime_median_minute double: min after midnight, median onset of 14 nights; null with fewer than 5
-- output:   bedtime_sd_min double: min, circular SD of the onsets: consistency of bedtimes
-- output:   wake_median_minute double: min after midnight, median offset of 14 nights
-- output:   wake_sd_min double: min, circular SD of the offsets
-- output:   midpoint_mean_minute double: min after midnight, circular mean of the nights' middles
-- output:   sri double: -100 to 100, sleep regularity index of 14 days; null with fewer than 5 pairs
-- output:   sri_day_pair_count integer: days of them that could be compared with the day before
-- output:   free_night_count integer: nights of 90 days that ended on a declared free day
-- output:   work_night_count integer: nights of 90 days that ended on a declared work day
-- output:   msf_minute double: min after midnight, circular mean of mid-sleep on free days
-- output:   msw_minute double: min after midnight, circular mean of mid-sleep on work days
-- output:   social_jetlag_min double: min, MSF - MSW the shorter way; positive = later on free days; 5 and 10 nights
-- output:   msf_sc_minute double: min after midnight, chronotype (MSFsc); 8 free and 20 work nights over 12 weeks
-- source:   medians and circular SD of 14 nights' onset and offset (sqrt(-2 ln R)); sleep regularity index of 14 days,
--           -100 + 200 x share of time in the same state as 24 h before (Phillips 2017, missing time after Windred 2021);
--           of 90 days mid-sleep on free days and work days, their difference (social jetlag) and mid-sleep on free days
--           corrected for sleep made up for (MSFsc, Roenneberg); methods 1.7
-- audit:    sri between -100 and 100
-- audit:    social_jetlag_min between -720 and 720
-- audit:    bedtime_median_minute >= 0 and bedtime_median_minute < 1440
-- audit:    wake_median_minute >= 0 and wake_median_minute < 1440
-- audit:    bedtime_sd_min >= 0 and wake_sd_min >= 0
-- audit:    msf_sc_minute is null or social_jetlag_min is not null
-- caution:  consistency of bedtimes (SD) and the regularity index are different quantities; work and free days are those the
--           person declared, never guessed from the weekday; MSFsc is null when an alarm ended a free night
-- method:   sleep_regularity/1

with

rules as (

    select
        max(case when name = 'regularity_night_count' then value end) as night_count,
        max(case when name = 'regularity_night_count_min' then value end) as night_count_min,
        max(case when name = 'sri_day_count' then value end) as sri_day_count,
        max(case when name = 'sri_day_pair_count_min' then value end) as sri_pair_count_min,
        max(case when name = 'chronotype_day_count' then value end) as chronotype_day_count,
        max(case when name = 'chronotype_span_day_min' then value end) as chronotype_span_day_min,
        max(case when name = 'chronotype_free_night_count_min' then value end) as chronotype_free_count_min,
        max(case when name = 'chronotype_work_night_count_min' then value end) as chronotype_work_count_min,
        max(case when name = 'jetlag_free_night_count_min' then value end) as jetlag_free_count_min,
        max(case when name = 'jetlag_work_night_count_min' then value end) as jetlag_work_count_min

    from definitions

),

-- What lies before the last days of all that is to be made counts for work days and free days alone.
spans as (

    select min(dirty_days.local_date) - cast(max(greatest(rules.night_count, rules.sri_day_count)) as integer) as before_date

    from dirty_days
    cross join rules

),

nights as (

    select
        sleep_nights.user_id,
        sleep_nights.night_date,
        dirty_days.user_id is not null as is_dirty,
        sleep_nights.sleep_onset_at,
        sleep_nights.sleep_offset_at,
        sleep_nights.onset_utc_offset_min,
        sleep_nights.offset_utc_offset_min,
        sleep_nights.midpoint_minute,
        sleep_nights.sleep_period_min,
        work_days.day_kind,
        work_days.is_alarm

    from sleep_nights
    left join dirty_days
        on sleep_nights.user_id = dirty_days.user_id
        and sleep_nights.night_date = dirty_days.local_date
    left join work_days
        on sleep_nights.user_id = work_days.user_id
        and sleep_nights.night_date = work_days.local_date
    cross join spans

    where
        sleep_nights.night_date > spans.before_date
        or work_days.day_kind is not null

),

-- The night that is asked for comes after the pair of its date.
nights_and_pairs as (

    select
        nights.*,
        null as observed_ms,
        null as agreed_ms

    from nights

    union all

    select
        sleep_day_pairs.user_id,
        sleep_day_pairs.local_date as night_date,
        false as is_dirty,
        null as sleep_onset_at,
        null as sleep_offset_at,
        null as onset_utc_offset_min,
        null as offset_utc_offset_min,
        null as midpoint_minute,
        null as sleep_period_min,
        null as day_kind,
        null as is_alarm,
        sleep_day_pairs.observed_ms,
        sleep_day_pairs.agreed_ms

    from sleep_day_pairs
    cross join spans

    where sleep_day_pairs.local_date > spans.before_date

),

dates as (

    select
        nights_and_pairs.*,
        rules.night_count,
        rules.night_count_min,
        rules.sri_day_count,
        rules.sri_pair_count_min,
        rules.chronotype_day_count,
        rules.chronotype_span_day_min,
        rules.chronotype_free_count_min,
        rules.chronotype_work_count_min,
        rules.jetlag_free_count_min,
        rules.jetlag_work_count_min

    from nights_and_pairs
    cross join rules

)

select * from dates
