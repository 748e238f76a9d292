-- sleep_windows: one row per rest that looks like sleep, found without a diary, for dates on which no device told of sleep.
--
-- grain:    user_id, night_date, started_at
-- inputs:   rest_stretches, sleep_episodes, definitions
-- build:    table
-- lookback: 1 days around
-- reach:    1 days around
-- go:       sleep_windows
-- order:    user_id, night_date, search_date
-- output:   user_id varchar: person
-- output:   night_date date: the person's date at the end, at the offset recorded with it
-- output:   started_at timestamp with time zone: start of the rest, UTC
-- output:   ended_at timestamp with time zone: end of the rest, UTC
-- output:   start_utc_offset_min integer: min east of UTC at the start
-- output:   end_utc_offset_min integer: min east of UTC at the end
-- output:   duration_min integer: min from start to end
-- output:   observed_min integer: min of them in slots with a heart rate
-- output:   still_min integer: min of them that were still
-- output:   basis varchar: motion, or steps when no motion was measured: what says still
-- output:   length_rank integer: 1 = the longest rest that ended on the date
-- source:   methods 1.3 without raw acceleration, over rest_stretches: steps 4 to 7 of van Hees 2018: drop rest under 30 min,
--           bridge less than 60 min, the longest is the main one. Rest runs on over the cut of the searches, so that no second
--           search is needed for people who sleep by day
-- audit:    started_at < ended_at
-- audit:    duration_min >= 30
-- audit:    still_min <= observed_min and observed_min <= duration_min
-- audit:    basis in ('motion', 'steps')
-- caution:  rest is not sleep: it holds lying awake, and a long quiet evening may pass for it; rest without a heart rate,
--           on the charger, or in 24 h worn for less than 16 is never found; hours whose heart rate is never below the threshold
--           count as not observed
-- method:   sleep_windows/1

with

rules as (

    select
        max(case when name = 'rest_run_min' then value end) as run_min,
        max(case when name = 'rest_bridge_min' then value end) as bridge_min

    from definitions

),

nights as (

    select
        dirty_days.user_id,
        dirty_days.local_date as night_date

    from dirty_days

    where not exists (
        select 1
        from sleep_episodes
        where
            sleep_episodes.user_id = dirty_days.user_id
            and sleep_episodes.night_date = dirty_days.local_date
    )

),

-- Rest that ends on a date lies in the 24 h up to that date's cut or in those after it.
night_searches as (

    select
        nights.user_id,
        nights.night_date,
        nights.night_date as search_date

    from nights

    union all

    select
        nights.user_id,
        nights.night_date,
        nights.night_date + 1 as search_date

    from nights

),

searches as (

    select
        rest_stretches.user_id,
        night_searches.night_date,
        rest_stretches.search_date,
        rest_stretches.stretch_first_slots,
        rest_stretches.stretch_slot_counts,
        rest_stretches.stretch_kinds,
        rest_stretches.stretch_utc_offsets_min,
        rules.run_min,
        rules.bridge_min

    from rest_stretches
    inner join night_searches
        on rest_stretches.user_id = night_searches.user_id
        and rest_stretches.search_date = night_searches.search_date
    cross join rules

)

select * from searches
