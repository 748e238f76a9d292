-- settled: what shows that a period's end has been synced: the night after its last day, and where the person was.
--
-- grain:    user_id
-- inputs:   sleep_nights
-- params:   $people, $morning_date (the day after the period's last)
-- caution:  a night told by minutes only has no time of waking; nobody without a night around then has a row

with

report_people as (

    select unnest(cast($people as varchar[])) as user_id

),

nights as (

    select
        sleep_nights.user_id,
        sleep_nights.night_date = cast($morning_date as date) as is_last_night,
        epoch_ms(sleep_nights.sleep_offset_at) as woke_at_ms,
        least(sleep_nights.onset_utc_offset_min, sleep_nights.offset_utc_offset_min) as utc_offset_min

    from sleep_nights
    inner join report_people
        on sleep_nights.user_id = report_people.user_id

    where
        sleep_nights.night_date >= cast($morning_date as date) - 2
        and sleep_nights.night_date <= cast($morning_date as date)

),

settled as (

    select
        user_id,
        bool_or(is_last_night) as is_synced,
        max(case when is_last_night then woke_at_ms end) as woke_at_ms,
        min(utc_offset_min) as lowest_utc_offset_min -- where a date ends last

    from nights

    group by user_id

)

select * from settled

order by user_id
