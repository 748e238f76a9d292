-- sleep_windows: one row per rest that looks like sleep, found without a diary, for dates on which no device told of sleep.
--
-- grain:    user_id, night_date, started_at
-- inputs:   stg_rest_slots, stg_charging_slots, rest_searches, sleep_episodes, definitions
-- build:    table
-- lookback: 1 days around
-- reach:    1 days around
-- source:   methods 1.3 without raw acceleration, with the thresholds of rest_searches: worn, no step, still, heart rate below
--           the median, each over 5 min (steps and motion as medians, so that a turn in bed breaks no rest); then steps 4
--           to 7 of van Hees 2018: drop rest under 30 min, bridge less than 60 min, the longest is the main one. Rest runs
--           on over the cut of the searches, so that no second search is needed for people who sleep by day
-- audit:    started_at < ended_at
-- audit:    duration_min >= 30
-- audit:    still_min <= observed_min and observed_min <= duration_min
-- audit:    basis in ('motion', 'steps')
-- caution:  rest is not sleep: it holds lying awake, and a long quiet evening may pass for it; rest without a heart rate,
--           on the charger, or in 24 h worn for less than 16 is never found
-- method:   sleep_windows/1

with

rules as (

    select
        max(case when name = 'rest_slot_min' then value end) as slot_min,
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

worn_slots as (

    select stg_rest_slots.*

    from stg_rest_slots

    where not exists (
        select 1
        from stg_charging_slots
        where
            stg_charging_slots.user_id = stg_rest_slots.user_id
            and stg_charging_slots.slot_number = stg_rest_slots.slot_number
            and stg_charging_slots.local_date between stg_rest_slots.search_date - 1 and stg_rest_slots.search_date
    )

),

-- Steps and motion as medians over the slot: a turn in bed breaks no rest.
still_slots as (

    select
        worn_slots.user_id,
        worn_slots.search_date,
        worn_slots.slot_number,
        case when worn_slots.motion_epoch_count > 0 then 1 else 0 end as has_motion

    from worn_slots
    inner join rest_searches
        on worn_slots.user_id = rest_searches.user_id
        and worn_slots.search_date = rest_searches.search_date

    where
        worn_slots.heart_rate_sum_bpm < rest_searches.heart_rate_median_bpm * worn_slots.heart_rate_count
        and (worn_slots.step_sample_count = 0 or 2 * worn_slots.walking_sample_count < worn_slots.step_sample_count)
        and 2 * worn_slots.still_epoch_count >= worn_slots.motion_epoch_count
        and worn_slots.step_sample_count + worn_slots.motion_epoch_count > 0

),

islands as (

    select
        night_searches.user_id,
        night_searches.night_date,
        still_slots.slot_number,
        still_slots.has_motion,
        still_slots.slot_number - dense_rank() over (
            partition by night_searches.user_id, night_searches.night_date
            order by still_slots.slot_number
        ) as island

    from still_slots
    inner join night_searches
        on still_slots.user_id = night_searches.user_id
        and still_slots.search_date = night_searches.search_date

),

runs as (

    select
        islands.user_id,
        islands.night_date,
        min(islands.slot_number) as first_slot,
        max(islands.slot_number) as last_slot,
        -- A slot that two searches share, because the day cut moved between them, is one slot.
        count(distinct islands.slot_number) as still_count,
        min(islands.has_motion) as has_motion

    from islands
    cross join rules

    group by islands.user_id, islands.night_date, islands.island

    having count(distinct islands.slot_number) * min(rules.slot_min) >= min(rules.run_min)

),

bridges as (

    select
        runs.*,
        case
            when
                (
                    runs.first_slot - lag(runs.last_slot) over (
                        partition by runs.user_id, runs.night_date order by runs.first_slot
                    ) - 1
                ) * rules.slot_min < rules.bridge_min
                then 0
            else 1
        end as begins_rest

    from runs
    cross join rules

),

rests_numbered as (

    select
        bridges.*,
        sum(begins_rest) over (
            partition by user_id, night_date
            order by first_slot
            rows unbounded preceding
        ) as rest_number

    from bridges

),

rests as (

    select
        user_id,
        night_date,
        rest_number,
        min(first_slot) as first_slot,
        max(last_slot) as last_slot,
        sum(still_count) as still_count,
        min(has_motion) as has_motion

    from rests_numbered

    group by user_id, night_date, rest_number

),

-- Every slot of a rest that was worn, still or not; its first and its last give offsets and dates.
rest_slots as (

    select
        rests.user_id,
        rests.night_date,
        rests.first_slot,
        rests.last_slot,
        rests.still_count,
        rests.has_motion,
        max(case when worn_slots.slot_number = rests.first_slot then worn_slots.utc_offset_min end) as start_utc_offset_min,
        max(case when worn_slots.slot_number = rests.last_slot then worn_slots.utc_offset_min end) as end_utc_offset_min,
        count(distinct worn_slots.slot_number) as worn_count

    from rests
    inner join night_searches
        on rests.user_id = night_searches.user_id
        and rests.night_date = night_searches.night_date
    inner join worn_slots
        on night_searches.user_id = worn_slots.user_id
        and night_searches.search_date = worn_slots.search_date
        and worn_slots.slot_number between rests.first_slot and rests.last_slot

    group by
        rests.user_id,
        rests.night_date,
        rests.first_slot,
        rests.last_slot,
        rests.still_count,
        rests.has_motion

),

timed_rests as (

    select
        rest_slots.*,
        timestamptz '1970-01-01 00:00:00+00' + rest_slots.first_slot * cast(rules.slot_min as integer) * interval '1' minute
            as started_at,
        timestamptz '1970-01-01 00:00:00+00'
        + (rest_slots.last_slot + 1) * cast(rules.slot_min as integer) * interval '1' minute as ended_at,
        rest_slots.last_slot - rest_slots.first_slot + 1 as slot_count,
        date '1970-01-01' + cast(
            floor(((rest_slots.last_slot + 1) * rules.slot_min + rest_slots.end_utc_offset_min) / 1440) as integer
        ) as ended_date

    from rest_slots
    cross join rules

),

windows as (

    select
        timed_rests.user_id,                 -- person
        timed_rests.night_date,              -- the person's date at the end, at the offset recorded with it
        timed_rests.started_at,              -- start of the rest, UTC
        timed_rests.ended_at,                -- end of the rest, UTC
        timed_rests.start_utc_offset_min,    -- min east of UTC at the start
        timed_rests.end_utc_offset_min,      -- min east of UTC at the end
        cast(timed_rests.slot_count * rules.slot_min as integer)
            as duration_min,                -- min from start to end
        cast(timed_rests.worn_count * rules.slot_min as integer)
            as observed_min,                -- min of them in slots with a heart rate
        cast(timed_rests.still_count * rules.slot_min as integer)
            as still_min,                   -- min of them that were still
        case when timed_rests.has_motion = 1 then 'motion' else 'steps' end
            as basis,                       -- motion, or steps when no motion was measured: what says still
        cast(row_number() over (
            partition by timed_rests.user_id, timed_rests.night_date
            order by timed_rests.slot_count desc, timed_rests.first_slot
        ) as integer)
            as length_rank,                 -- 1 = the longest rest that ended on the date
        'sleep_windows/1'
            as method_version               -- formula of this row

    from timed_rests
    cross join rules

    where timed_rests.ended_date = timed_rests.night_date

)

select * from windows
