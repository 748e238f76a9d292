-- sleep_stage_estimates: one row per stretch of a main sleep in one stage, as our classifier estimates it.
--
-- grain:    user_id, night_date, started_at
-- inputs:   stg_night_epochs, definitions
-- build:    table
-- go:       stage_sleep
-- order:    user_id, night_date, episode_started_at, epoch_index
-- output:   user_id varchar: person
-- output:   night_date date: the person's date of waking
-- output:   episode_started_at timestamp with time zone: start of the sleep that was staged, UTC
-- output:   started_at timestamp with time zone: start of the stretch, UTC
-- output:   ended_at timestamp with time zone: end of the stretch, UTC
-- output:   stage varchar: awake, light, deep or rem; asleep in a sleep too short for stages
-- lookback: 2 days
-- reach:    2 days
-- source:   epochs of 30 s with the device's motion counts and heart rates (methods 1.4, 1.5), of sleeps of which 90 % of
--           the epochs have a count and 90 % of the minutes a heart rate; other sleeps are not staged
-- audit:    started_at < ended_at
-- audit:    stage in ('awake', 'light', 'deep', 'rem', 'asleep')
-- caution:  estimates: a night's light, deep and REM sleep may be off by 30 to 45 min
-- method:   sleep_stage_estimates/1

with

rules as (

    select value as observed_share_min

    from definitions

    where name = 'night_observed_share_min'

),

night_epochs as (

    select
        stg_night_epochs.user_id,
        stg_night_epochs.night_date,
        stg_night_epochs.episode_started_at,
        stg_night_epochs.epoch_number,
        stg_night_epochs.epoch_index,
        stg_night_epochs.epoch_count,
        stg_night_epochs.motion_count,
        stg_night_epochs.heart_rate_bpm

    from stg_night_epochs
    inner join dirty_days
        on stg_night_epochs.user_id = dirty_days.user_id
        and stg_night_epochs.night_date = dirty_days.local_date

),

observed_nights as (

    select
        night_epochs.user_id,
        night_epochs.night_date

    from night_epochs
    cross join rules

    group by night_epochs.user_id, night_epochs.night_date

    having
        100 * count(*) >= min(rules.observed_share_min) * min(night_epochs.epoch_count)
        and 100 * 2 * count(distinct case
            when night_epochs.heart_rate_bpm is not null then floor(night_epochs.epoch_number / 2.0)
        end) >= min(rules.observed_share_min) * min(night_epochs.epoch_count)

),

sleep_epochs as (

    select
        night_epochs.user_id,
        night_epochs.night_date,
        night_epochs.episode_started_at,
        night_epochs.epoch_index,
        night_epochs.motion_count,
        night_epochs.heart_rate_bpm

    from night_epochs
    inner join observed_nights
        on night_epochs.user_id = observed_nights.user_id
        and night_epochs.night_date = observed_nights.night_date

)

select * from sleep_epochs
