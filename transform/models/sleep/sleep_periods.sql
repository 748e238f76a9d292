-- sleep_periods: one row per sleep of a person, whoever told it: the night's main sleep, naps and what is neither.
--
-- grain:    user_id, night_date, started_at
-- inputs:   sleep_episodes, sleep_windows, sleep_habits, events, definitions
-- build:    table
-- lookback: 1 days around
-- reach:    1 days around
-- source:   a nap is 15 min to 3 h long and lies outside the habitual window, the person's own 14-night medians and 2 h to
--           both sides (product rule S5); until a habit is known, outside 22 to 8 h and 2 h to both sides, or beside a
--           longer sleep (methods 1.6). Of what is no nap the longest of a date is the main sleep, whenever it was
--           (methods 1.6); of records that overlap one stands: a night before what is too short for one, so that a piece
--           does not put a whole record aside; then by priority, native before import before what was written by hand
--           (methods 5.7, product rule S7); then the staged one, then the one with more sleep. The person has the last
--           word: a tag nap or main_sleep whose time touches a sleep says what it is (product rule S5)
-- audit:    started_at < ended_at
-- audit:    sleep_onset_at >= started_at and sleep_offset_at <= ended_at
-- audit:    source in ('device', 'estimate')
-- audit:    kind in ('main', 'nap', 'split', 'short')
-- audit:    source = 'device' or device_id is null
-- caution:  an estimate is rest that looks like sleep; it stands only on dates on which no device told of sleep, and only
--           from the length of a valid night on (product rule T5): shorter rest may be a quiet evening
-- method:   sleep_periods/1

with

rules as (

    select
        max(case when name = 'habit_margin_min' then value end) as margin_min,
        max(case when name = 'nap_max_min' then value end) as nap_max_min,
        max(case when name = 'nap_min_min' then value end) as nap_min_min,
        max(case when name = 'rest_night_min' then value end) as rest_night_min,
        max(case when name = 'habit_default_onset_min' then value end) as default_onset_min,
        max(case when name = 'habit_default_offset_min' then value end) as default_offset_min

    from definitions

),

records as (

    select
        user_id,
        night_date,
        'device' as source,
        device_id,
        started_at,
        ended_at,
        sleep_onset_at,
        sleep_offset_at,
        onset_utc_offset_min,
        offset_utc_offset_min,
        total_sleep_time_min as asleep_min,
        0 as source_rank,
        case when total_sleep_time_min >= rules.rest_night_min then 0 else 1 end as length_class,
        sleep_episodes.source_rank as record_rank,
        case when is_staged then 0 else 1 end as stage_rank

    from sleep_episodes
    cross join rules

    union all

    select
        user_id,
        night_date,
        'estimate' as source,
        cast(null as varchar) as device_id,
        started_at,
        ended_at,
        started_at as sleep_onset_at,
        ended_at as sleep_offset_at,
        start_utc_offset_min as onset_utc_offset_min,
        end_utc_offset_min as offset_utc_offset_min,
        cast(duration_min as double) as asleep_min,
        1 as source_rank,
        0 as length_class,
        0 as record_rank,
        0 as stage_rank

    from sleep_windows
    cross join rules

    where duration_min >= rules.rest_night_min

),

sleeps as (

    select
        records.*,
        row_number() over (
            partition by user_id
            order by
                source_rank,
                length_class,
                record_rank,
                stage_rank,
                asleep_min desc,
                night_date,
                device_id,
                started_at
        ) as preference

    from records

),

-- Two devices on one wrist tell of the same night: what overlaps a better record is not another sleep. A device comes
-- before an estimate.
overlapped as (

    select distinct
        sleeps.user_id,
        sleeps.night_date,
        sleeps.source,
        sleeps.device_id,
        sleeps.started_at

    from sleeps
    inner join sleeps as better
        on sleeps.user_id = better.user_id
        and better.night_date between sleeps.night_date - 1 and sleeps.night_date + 1
        and better.started_at < sleeps.ended_at
        and better.ended_at > sleeps.started_at
        and better.preference < sleeps.preference

),

own_sleeps as (

    select
        sleeps.*,
        date_diff('minute', sleeps.sleep_onset_at, sleeps.sleep_offset_at) as length_min,
        date_diff('minute', timestamptz '1970-01-01 00:00:00+00', sleeps.sleep_onset_at) + sleeps.onset_utc_offset_min
            as onset_min

    from sleeps
    inner join dirty_days
        on sleeps.user_id = dirty_days.user_id
        and sleeps.night_date = dirty_days.local_date

    where not exists (
        select 1
        from overlapped
        where
            overlapped.user_id = sleeps.user_id
            and overlapped.night_date = sleeps.night_date
            and overlapped.source = sleeps.source
            and overlapped.device_id is not distinct from sleeps.device_id
            and overlapped.started_at = sleeps.started_at
    )

),

-- Of both words for one sleep main_sleep counts; of two sleeps called so on one date the longer is the night.
words as (

    select
        own_sleeps.user_id,
        own_sleeps.night_date,
        own_sleeps.source,
        own_sleeps.device_id,
        own_sleeps.started_at,
        max(case when lower(events.name) = 'main_sleep' then 1 else 0 end) as is_told_main

    from own_sleeps
    inner join events
        on own_sleeps.user_id = events.user_id
        and events.local_date between own_sleeps.night_date - 1 and own_sleeps.night_date
        and events.start_at < own_sleeps.ended_at
        and (events.start_at >= own_sleeps.started_at or events.end_at > own_sleeps.started_at)

    where
        events.kind = 'tag'
        and lower(events.name) in ('nap', 'main_sleep')
        and coalesce(events.value, 1) <> 0

    group by
        own_sleeps.user_id,
        own_sleeps.night_date,
        own_sleeps.source,
        own_sleeps.device_id,
        own_sleeps.started_at

),

-- The middle of a sleep, and how far round the clock it lies behind the beginning of the habitual window.
placed as (

    select
        own_sleeps.*,
        rules.nap_max_min,
        rules.nap_min_min,
        words.is_told_main,
        sleep_habits.habitual_onset_minute is not null as has_habit,
        own_sleeps.onset_min + own_sleeps.length_min / 2.0
        - (coalesce(sleep_habits.habitual_onset_minute, rules.default_onset_min) - rules.margin_min) as behind_opening_min,
        coalesce(sleep_habits.habitual_offset_minute, rules.default_offset_min)
        - coalesce(sleep_habits.habitual_onset_minute, rules.default_onset_min) as habitual_length_min,
        rules.margin_min

    from own_sleeps
    cross join rules
    left join sleep_habits
        on own_sleeps.user_id = sleep_habits.user_id
        and own_sleeps.night_date = sleep_habits.night_date
    left join words
        on own_sleeps.user_id = words.user_id
        and own_sleeps.night_date = words.night_date
        and own_sleeps.source = words.source
        and own_sleeps.device_id is not distinct from words.device_id
        and own_sleeps.started_at = words.started_at

),

judged as (

    select
        placed.*,
        case
            when is_told_main is not null then 1 - is_told_main
            when length_min >= nap_max_min then 0
            when
                behind_opening_min - floor(behind_opening_min / 1440) * 1440
                <= habitual_length_min - floor(habitual_length_min / 1440) * 1440 + 2 * margin_min
                then 0
            else 1
        end as is_out_of_habit

    from placed

),

ranked as (

    select
        judged.*,
        row_number() over (
            partition by user_id, night_date
            order by coalesce(is_told_main, 0) desc, is_out_of_habit, asleep_min desc, source_rank, device_id, started_at
        ) as length_rank

    from judged

),

periods as (

    select
        user_id,                -- person
        night_date,             -- the person's date at the end of the sleep, at the offset recorded with it
        started_at,             -- in bed from, or start of the rest, UTC
        ended_at,               -- in bed until, or end of the rest, UTC
        source,                 -- device, or estimate when no device told of sleep on the date
        device_id,              -- device that told it; null of an estimate
        case
            when is_out_of_habit = 0 and length_rank = 1 then 'main'
            when is_told_main = 0 then 'nap'
            when length_min < nap_min_min then 'short'
            when is_out_of_habit = 1 or (not has_habit and length_min < nap_max_min) then 'nap'
            else 'split'
        end
            as kind,            -- main, nap, split (a further long or nightly sleep) or short (less than a nap)
        is_told_main is not null
            as is_kind_told,    -- the person said whether it was a nap
        sleep_onset_at,         -- start of sleep, UTC; of an estimate, of the rest
        sleep_offset_at,        -- end of sleep, UTC; of an estimate, of the rest
        onset_utc_offset_min,   -- min east of UTC at onset
        offset_utc_offset_min,  -- min east of UTC at offset
        cast(length_min as integer)
            as sleep_period_min, -- min from onset to offset
        case when source = 'device' then asleep_min end
            as asleep_min,      -- min asleep by the device's record; null of an estimate
        'sleep_periods/1'
            as method_version   -- formula of this row

    from ranked

)

select * from periods
