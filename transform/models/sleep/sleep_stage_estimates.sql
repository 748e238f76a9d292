-- sleep_stage_estimates: one row per stretch of a main sleep in one stage, as our classifier estimates it.
--
-- grain:    user_id, night_date, started_at
-- inputs:   stg_night_hours, definitions
-- build:    table
-- go:       stage_sleep
-- order:    user_id, night_date
-- output:   user_id varchar: person
-- output:   night_date date: the person's date of waking
-- output:   episode_started_at timestamp with time zone: start of the first whole epoch of the sleep that was staged, UTC
-- output:   started_at timestamp with time zone: start of the stretch, UTC
-- output:   ended_at timestamp with time zone: end of the stretch, UTC
-- output:   stage varchar: awake, light, deep or rem; asleep in a sleep too short for stages
-- lookback: 2 days
-- reach:    2 days
-- source:   epochs of 30 s with the device's motion counts and heart rates (methods 1.4, 1.5), of sleeps of which 90 % of
--           the epochs have a count and 90 % of the minutes a heart rate; other sleeps are not staged
-- audit:    started_at < ended_at
-- audit:    stage in ('awake', 'light', 'deep', 'rem', 'asleep')
-- caution:  of several devices the one stands for a night that has most motion counts in its hours, native before import, and
--           both counts and heart rates are its own; an epoch's heart rate is the mean of the samples that begin in it;
--           estimates: a night's light, deep and REM sleep may be off by 30 to 45 min
-- method:   sleep_stage_estimates/1

with

rules as (

    select cast(value as double) as observed_share_min

    from definitions

    where name = 'night_observed_share_min'

),

night_hours as (

    select
        stg_night_hours.*,
        rules.observed_share_min

    from stg_night_hours
    cross join rules
    inner join dirty_days
        on stg_night_hours.user_id = dirty_days.user_id
        and stg_night_hours.night_date = dirty_days.local_date

)

select * from night_hours
