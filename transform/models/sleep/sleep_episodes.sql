-- sleep_episodes: one row per device and unbroken time of sleep, naps included; the longest of a date is its main sleep.
--
-- grain:    user_id, night_date, device_id, started_at
-- inputs:   sleep_stretches, definitions
-- build:    table
-- lookback: 2 days around
-- reach:    2 days around
-- source:   onset is the first of three consecutive 30-s epochs of sleep, offset the end of the last sleep; the longest
--           episode of a date is its main sleep, whenever it was (methods 1.6)
-- audit:    sleep_onset_at < sleep_offset_at
-- audit:    sleep_onset_at >= started_at and sleep_offset_at <= ended_at
-- audit:    total_sleep_time_min > 0
-- caution:  an episode without 90 s of sleep on end has no row; two devices on one wrist give two rows
-- method:   sleep_episodes/1

with

stretches as (

    select * from sleep_stretches

),

-- A run of sleep ends where a stretch that is not sleep begins, or where the record has a hole.
marked as (

    select
        stretches.*,
        case
            when
                lag(is_asleep) over (
                    partition by user_id, device_id, episode_started_at order by started_at
                ) = 1
                and lag(ended_at) over (
                    partition by user_id, device_id, episode_started_at order by started_at
                ) = started_at
                then 0
            else 1
        end as begins_run

    from stretches

),

runs_numbered as (

    select
        marked.*,
        sum(case when is_asleep = 1 then begins_run else 1 end) over (
            partition by user_id, device_id, episode_started_at
            order by started_at
            rows unbounded preceding
        ) as run_number

    from marked

),

sleep_runs as (

    select
        user_id,
        device_id,
        episode_started_at,
        run_number,
        min(started_at) as run_started_at,
        sum(duration_ms) as run_ms

    from runs_numbered

    where is_asleep = 1

    group by user_id, device_id, episode_started_at, run_number

),

onset_run as (

    select value as onset_run_ms

    from definitions

    where name = 'sleep_onset_run_ms'

),

onsets as (

    select
        sleep_runs.user_id,
        sleep_runs.device_id,
        sleep_runs.episode_started_at,
        min(sleep_runs.run_started_at) as sleep_onset_at

    from sleep_runs
    cross join onset_run

    where sleep_runs.run_ms >= onset_run.onset_run_ms

    group by sleep_runs.user_id, sleep_runs.device_id, sleep_runs.episode_started_at

),

sleep_from_onset as (

    select
        stretches.*,
        onsets.sleep_onset_at,
        row_number() over (
            partition by stretches.user_id, stretches.device_id, stretches.episode_started_at
            order by stretches.started_at
        ) as sleep_rank,
        row_number() over (
            partition by stretches.user_id, stretches.device_id, stretches.episode_started_at
            order by stretches.started_at desc
        ) as sleep_rank_from_end

    from stretches
    inner join onsets
        on stretches.user_id = onsets.user_id
        and stretches.device_id = onsets.device_id
        and stretches.episode_started_at = onsets.episode_started_at

    where
        stretches.is_asleep = 1
        and stretches.started_at >= onsets.sleep_onset_at

),

episodes as (

    select
        user_id,
        device_id,
        episode_started_at,
        min(episode_ended_at) as episode_ended_at,
        min(source_rank) as source_rank,
        min(sleep_onset_at) as sleep_onset_at,
        max(ended_at) as sleep_offset_at,
        max(case when sleep_rank = 1 then start_utc_offset_min end) as onset_utc_offset_min,
        max(case when sleep_rank_from_end = 1 then end_utc_offset_min end) as offset_utc_offset_min,
        max(case when sleep_rank_from_end = 1 then ended_date end) as night_date,
        sum(duration_ms) as asleep_ms,
        max(case when stage in ('light', 'deep', 'rem') then 1 else 0 end) as is_staged

    from sleep_from_onset

    group by user_id, device_id, episode_started_at

),

ranked as (

    select
        episodes.*,
        row_number() over (
            partition by user_id, night_date
            order by asleep_ms desc, source_rank, device_id, episode_started_at
        ) as length_rank

    from episodes

),

dated as (

    select
        ranked.user_id,                 -- person
        ranked.night_date,              -- the person's date of waking, at the offset recorded with it
        ranked.device_id,               -- device that told it
        ranked.episode_started_at
            as started_at,              -- in bed from, UTC
        ranked.episode_ended_at
            as ended_at,                -- in bed until, UTC
        ranked.sleep_onset_at,          -- start of the first 90 s of sleep on end, UTC
        ranked.sleep_offset_at,         -- end of the last sleep, UTC
        ranked.onset_utc_offset_min,    -- min east of UTC at onset
        ranked.offset_utc_offset_min,   -- min east of UTC at offset
        cast(ranked.asleep_ms as double) / 60000
            as total_sleep_time_min,    -- min asleep from onset on
        ranked.length_rank = 1
            as is_main_sleep,           -- the longest sleep that ended on this date, all devices
        ranked.source_rank,             -- 1 native, 2 import, 3 manual: lower is preferred
        ranked.is_staged = 1
            as is_staged,               -- light, deep or REM sleep was told
        'sleep_episodes/1'
            as method_version           -- formula of this row

    from ranked
    inner join dirty_days
        on ranked.user_id = dirty_days.user_id
        and ranked.night_date = dirty_days.local_date

)

select * from dated
