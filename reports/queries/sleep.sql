-- sleep: the nights of the period, each on the date of waking.
--
-- grain:    user_id, night_date
-- inputs:   sleep_nights
-- params:   $people, $first_date, $last_date
-- caution:  a night from a daily summary has minutes only; its times, stages and awakenings are null

with

report_people as (

    select unnest(cast($people as varchar[])) as user_id

),

nights as (

    select
        sleep_nights.user_id,
        sleep_nights.night_date,
        sleep_nights.source,
        cast(epoch_ms(sleep_nights.sleep_onset_at) as bigint) as sleep_onset_ms,   -- ms since 1970, UTC
        cast(epoch_ms(sleep_nights.sleep_offset_at) as bigint) as sleep_offset_ms, -- ms since 1970, UTC
        sleep_nights.onset_utc_offset_min,
        sleep_nights.offset_utc_offset_min,
        sleep_nights.time_in_bed_min,
        sleep_nights.total_sleep_time_min,
        sleep_nights.sleep_efficiency_pct,
        sleep_nights.wake_after_sleep_onset_min,
        sleep_nights.light_min,
        sleep_nights.deep_min,
        sleep_nights.rem_min,
        sleep_nights.awakening_count,
        sleep_nights.method_version

    from sleep_nights
    inner join report_people
        on sleep_nights.user_id = report_people.user_id

    where
        sleep_nights.night_date >= cast($first_date as date)
        and sleep_nights.night_date <= cast($last_date as date)

)

select * from nights

order by user_id, night_date
