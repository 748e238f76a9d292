-- sleep_nights: one row per person and night, the main sleep in numbers; dated by the person's date of waking.
--
-- grain:    user_id, night_date
-- inputs:   sleep_episodes, sleep_stretches, stg_sleep_summaries
-- build:    table
-- lookback: 2 days around
-- reach:    2 days around
-- source:   TST, SOL, WASO and SE after methods 1.6; WASO leaves out the wake after the last sleep; an awakening is a
--           run of wake between onset and offset
-- audit:    source in ('segments', 'summary')
-- audit:    sleep_onset_at < sleep_offset_at
-- audit:    total_sleep_time_min >= 0
-- audit:    sleep_efficiency_pct between 0 and 100
-- audit:    sleep_onset_latency_min >= 0
-- audit:    wake_after_sleep_onset_min >= 0
-- audit:    source = 'segments' or sleep_onset_at is null and awakening_count is null and light_min is null
-- caution:  stages are the device's estimates, light = N1+N2; latency and efficiency rest on when the device thinks the
--           person went to bed, and latency is null when its record does not begin awake; a summary adds up all sleep of
--           the date, naps included, and has no onset
-- method:   sleep_nights/1

with

main_episodes as (

    select
        sleep_episodes.user_id,
        sleep_episodes.night_date,
        sleep_episodes.device_id,
        sleep_episodes.started_at,
        sleep_episodes.sleep_onset_at,
        sleep_episodes.sleep_offset_at,
        sleep_episodes.onset_utc_offset_min,
        sleep_episodes.offset_utc_offset_min,
        sleep_episodes.total_sleep_time_min

    from sleep_episodes
    inner join dirty_days
        on sleep_episodes.user_id = dirty_days.user_id
        and sleep_episodes.night_date = dirty_days.local_date

    where sleep_episodes.is_main_sleep

),

night_stretches as (

    select
        main_episodes.user_id,
        main_episodes.night_date,
        sleep_stretches.started_at,
        sleep_stretches.ended_at,
        sleep_stretches.segment_start_at,
        sleep_stretches.stage,
        sleep_stretches.is_asleep,
        sleep_stretches.is_awake,
        sleep_stretches.duration_ms,
        case
            when
                sleep_stretches.started_at >= main_episodes.sleep_onset_at
                and sleep_stretches.ended_at <= main_episodes.sleep_offset_at
                then 1
            else 0
        end as is_within_sleep,
        case when sleep_stretches.started_at = main_episodes.started_at then sleep_stretches.stage end as first_stage

    from sleep_stretches
    inner join main_episodes
        on sleep_stretches.user_id = main_episodes.user_id
        and sleep_stretches.device_id = main_episodes.device_id
        and sleep_stretches.episode_started_at = main_episodes.started_at

),

-- Two stretches of wake that touch are one awakening; out of bed counts as awake.
awakenings as (

    select
        night_stretches.*,
        case
            when is_awake = 0 then 0
            when
                lag(is_awake) over (partition by user_id, night_date order by started_at) = 1
                and lag(ended_at) over (partition by user_id, night_date order by started_at) = started_at
                then 0
            else 1
        end as begins_awakening

    from night_stretches

),

night_sums as (

    select
        user_id,
        night_date,
        max(first_stage) as first_stage,
        sum(duration_ms) as in_bed_ms,
        sum(is_within_sleep * is_awake * duration_ms) as awake_ms,
        sum(is_within_sleep * begins_awakening) as awakening_count,
        sum(case when is_within_sleep = 1 and stage = 'light' then duration_ms else 0 end) as light_ms,
        sum(case when is_within_sleep = 1 and stage = 'deep' then duration_ms else 0 end) as deep_ms,
        sum(case when is_within_sleep = 1 and stage = 'rem' then duration_ms else 0 end) as rem_ms,
        max(case when is_within_sleep = 1 and stage in ('light', 'deep', 'rem') then 1 else 0 end) as is_staged,
        count(distinct segment_start_at) as record_count

    from awakenings

    group by user_id, night_date

),

segment_nights as (

    select
        main_episodes.user_id,
        main_episodes.night_date,
        'segments' as source,
        main_episodes.sleep_onset_at,
        main_episodes.sleep_offset_at,
        main_episodes.onset_utc_offset_min,
        main_episodes.offset_utc_offset_min,
        cast(night_sums.in_bed_ms as double) / 60000 as time_in_bed_min,
        main_episodes.total_sleep_time_min,
        case
            when night_sums.first_stage = 'awake'
                then cast(date_diff('millisecond', main_episodes.started_at, main_episodes.sleep_onset_at) as double)
                    / 60000
        end as sleep_onset_latency_min,
        cast(night_sums.awake_ms as double) / 60000 as wake_after_sleep_onset_min,
        case when night_sums.is_staged = 1 then cast(night_sums.light_ms as double) / 60000 end as light_min,
        case when night_sums.is_staged = 1 then cast(night_sums.deep_ms as double) / 60000 end as deep_min,
        case when night_sums.is_staged = 1 then cast(night_sums.rem_ms as double) / 60000 end as rem_min,
        cast(night_sums.awakening_count as integer) as awakening_count,
        cast(night_sums.record_count as integer) as record_count

    from main_episodes
    inner join night_sums
        on main_episodes.user_id = night_sums.user_id
        and main_episodes.night_date = night_sums.night_date

),

summary_nights as (

    select
        stg_sleep_summaries.user_id,
        stg_sleep_summaries.local_date as night_date,
        'summary' as source,
        cast(null as timestamp with time zone) as sleep_onset_at,
        cast(null as timestamp with time zone) as sleep_offset_at,
        cast(null as integer) as onset_utc_offset_min,
        cast(null as integer) as offset_utc_offset_min,
        cast(stg_sleep_summaries.time_in_bed_min as double) as time_in_bed_min,
        cast(stg_sleep_summaries.total_sleep_time_min as double) as total_sleep_time_min,
        cast(null as double) as sleep_onset_latency_min,
        cast(null as double) as wake_after_sleep_onset_min,
        cast(null as double) as light_min,
        cast(null as double) as deep_min,
        cast(null as double) as rem_min,
        cast(null as integer) as awakening_count,
        stg_sleep_summaries.record_count

    from stg_sleep_summaries
    inner join dirty_days
        on stg_sleep_summaries.user_id = dirty_days.user_id
        and stg_sleep_summaries.local_date = dirty_days.local_date

    where not exists (
        select 1
        from main_episodes
        where
            main_episodes.user_id = stg_sleep_summaries.user_id
            and main_episodes.night_date = stg_sleep_summaries.local_date
    )

),

all_nights as (

    select * from segment_nights

    union all

    select * from summary_nights

),

nights as (

    select
        user_id,                    -- person
        night_date,                 -- the person's date of waking, at the offset recorded with it
        source,                     -- segments, or summary when the source told figures alone
        sleep_onset_at,             -- start of the first 90 s of sleep on end, UTC; null from a summary
        sleep_offset_at,            -- end of the last sleep, UTC; null from a summary
        onset_utc_offset_min,       -- min east of UTC at onset
        offset_utc_offset_min,      -- min east of UTC at offset
        time_in_bed_min,            -- min from the record's start to its end, holes left out
        total_sleep_time_min,       -- min asleep (TST) from onset on
        sleep_onset_latency_min,    -- min from in bed to onset (SOL); null when the record does not begin awake
        wake_after_sleep_onset_min, -- min awake between onset and offset (WASO)
        case
            when total_sleep_time_min <= time_in_bed_min
                then 100 * total_sleep_time_min / nullif(time_in_bed_min, 0)
        end
            as sleep_efficiency_pct,    -- %, TST / time in bed (SE); null when a source tells more sleep than bed
        light_min,                  -- min of light sleep; null when the device tells no stages
        deep_min,                   -- min of deep sleep; null when the device tells no stages
        rem_min,                    -- min of REM sleep; null when the device tells no stages
        awakening_count,            -- runs of wake between onset and offset
        record_count,               -- segments, or the source's own sleep records
        'sleep_nights/1'
            as method_version       -- formula of this row

    from all_nights

)

select * from nights
