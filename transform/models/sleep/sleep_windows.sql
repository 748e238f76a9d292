-- sleep_windows: one row per rest that looks like sleep, found without a diary, for dates on which no device told of sleep.
--
-- grain:    user_id, night_date, started_at
-- inputs:   stg_day_samples, stg_charging_slots, rest_searches, sleep_episodes, definitions
-- build:    table
-- lookback: 1 days around
-- reach:    1 days around
-- go:       sleep_windows
-- order:    user_id, search_date, local_date
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
-- source:   methods 1.3 without raw acceleration, with the thresholds of rest_searches: worn, no step, still, heart rate below
--           the median, each over 5 min (steps and motion as medians, so that a turn in bed breaks no rest); then steps 4
--           to 7 of van Hees 2018: drop rest under 30 min, bridge less than 60 min, the longest is the main one. Rest runs
--           on over the cut of the searches, so that no second search is needed for people who sleep by day
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

sought as (

    select
        rest_searches.user_id,
        rest_searches.search_date,
        rest_searches.day_cut_min,
        rest_searches.heart_rate_median_bpm,
        rest_searches.motion_still_count,
        max(case when night_searches.night_date = night_searches.search_date then 1 else 0 end) = 1 as is_night,
        max(case when night_searches.night_date < night_searches.search_date then 1 else 0 end) = 1 as is_night_before

    from rest_searches
    inner join night_searches
        on rest_searches.user_id = night_searches.user_id
        and rest_searches.search_date = night_searches.search_date

    group by
        rest_searches.user_id,
        rest_searches.search_date,
        rest_searches.day_cut_min,
        rest_searches.heart_rate_median_bpm,
        rest_searches.motion_still_count

),

searched_dates as (

    select
        user_id,
        search_date,
        search_date as local_date

    from sought

    union all

    select
        user_id,
        search_date,
        search_date - 1 as local_date

    from sought

),

charging as (

    select
        sought.user_id,
        sought.search_date,
        array_agg(cast(stg_charging_slots.slot_number as integer)) as charging_slots

    from sought
    inner join stg_charging_slots
        on sought.user_id = stg_charging_slots.user_id
        and stg_charging_slots.local_date between sought.search_date - 1 and sought.search_date

    group by sought.user_id, sought.search_date

),

dates as (

    select
        sought.user_id,
        sought.search_date,
        searched_dates.local_date,
        sought.is_night,
        sought.is_night_before,
        cast(sought.day_cut_min as double) as day_cut_min,
        cast(sought.heart_rate_median_bpm as double) as heart_rate_median_bpm,
        sought.motion_still_count,
        charging.charging_slots,
        stg_day_samples.rest_first_slots,
        stg_day_samples.rest_utc_offsets_min,
        stg_day_samples.rest_heart_rate_mins_bpm,
        stg_day_samples.rest_slot_heart_rate_sums_bpm,
        stg_day_samples.rest_slot_heart_rate_counts,
        stg_day_samples.rest_slot_step_sample_counts,
        stg_day_samples.rest_slot_walking_sample_counts,
        stg_day_samples.rest_slot_motion_epoch_counts,
        stg_day_samples.rest_motion_counts,
        rules.run_min,
        rules.bridge_min

    from stg_day_samples
    inner join searched_dates
        on stg_day_samples.user_id = searched_dates.user_id
        and stg_day_samples.local_date = searched_dates.local_date
    inner join sought
        on searched_dates.user_id = sought.user_id
        and searched_dates.search_date = sought.search_date
    left join charging
        on sought.user_id = charging.user_id
        and sought.search_date = charging.search_date
    cross join rules

    where stg_day_samples.rest_first_slots is not null

)

select * from dates
