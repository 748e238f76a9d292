-- sleep_habits: one row per person and date with sleep: when the person went to sleep and woke on the dates before.
--
-- grain:    user_id, night_date
-- inputs:   sleep_episodes, sleep_windows, definitions
-- build:    table
-- lookback: 14 days
-- reach:    14 days
-- go:       sleep_habits
-- order:    user_id, night_date
-- output:   user_id varchar: person
-- output:   night_date date: the person's date of waking
-- output:   night_count integer: nights of the 14 dates before that count
-- output:   habitual_onset_minute double: min after midnight, median onset; null with too few nights
-- output:   habitual_offset_minute double: min after midnight, median offset; null with too few nights
-- source:   medians on the clock over the 14 dates before this one (product rule S5): the time from which all others
--           are nearest, then the median of the distances from it; of each date the longest sleep that is no nap by its
--           length
-- audit:    night_count between 0 and 14
-- audit:    habitual_onset_minute >= 0 and habitual_onset_minute < 1440
-- audit:    habitual_offset_minute >= 0 and habitual_offset_minute < 1440
-- caution:  null with fewer than 5 such nights; somebody who sleeps around the clock has a median and no habit
-- method:   sleep_habits/1

with

rules as (

    select
        max(case when name = 'habit_night_count' then value end) as night_count,
        max(case when name = 'habit_night_count_min' then value end) as night_count_min,
        max(case when name = 'nap_max_min' then value end) as nap_max_min

    from definitions

),

sleeps as (

    select
        user_id,
        night_date,
        device_id,
        sleep_onset_at,
        sleep_offset_at,
        onset_utc_offset_min,
        offset_utc_offset_min

    from sleep_episodes

    union all

    select
        user_id,
        night_date,
        '' as device_id,
        started_at as sleep_onset_at,
        ended_at as sleep_offset_at,
        start_utc_offset_min as onset_utc_offset_min,
        end_utc_offset_min as offset_utc_offset_min

    from sleep_windows

),

sleeps_of_dates as (

    select
        sleeps.*,
        dirty_days.user_id is not null as is_dirty,
        rules.night_count,
        rules.night_count_min,
        rules.nap_max_min

    from sleeps
    left join dirty_days
        on sleeps.user_id = dirty_days.user_id
        and sleeps.night_date = dirty_days.local_date
    cross join rules

)

select * from sleeps_of_dates
