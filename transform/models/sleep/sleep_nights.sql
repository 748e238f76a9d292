-- sleep_nights: one row per person and night, the main sleep in numbers; dated by the person's date of waking.
--
-- grain:    user_id, night_date
-- inputs:   sleep_periods, hypnogram_nights, sleep_stretches, stg_sleep_summaries, sleep_windows
-- build:    table
-- lookback: 2 days around
-- daily:    sleep_periods, hypnogram_nights, sleep_windows
-- reach:    2 days around
-- source:   what the person's device told in segments; on dates without, what it summed up; on dates without either, the
--           rest that was found (sleep_windows) and the stages that were estimated (sleep_stage_estimates). Figures after
--           methods 1.6, see hypnogram_nights
-- audit:    source in ('segments', 'summary', 'estimate')
-- audit:    sleep_onset_at < sleep_offset_at
-- audit:    total_sleep_time_min >= 0
-- audit:    sleep_efficiency_pct between 0 and 100
-- audit:    sleep_onset_latency_min >= 0
-- audit:    wake_after_sleep_onset_min >= 0
-- audit:    abs(time_in_bed_min - sleep_onset_latency_min - total_sleep_time_min - wake_after_sleep_onset_min
--           - terminal_wake_min - unscored_min) < 0.001
-- audit:    source <> 'summary' or (sleep_onset_at is null and awakening_count is null and light_min is null)
-- audit:    source <> 'estimate' or (sleep_onset_latency_min is null and sleep_efficiency_pct is null)
-- caution:  stages are estimates, the device's or ours, light = N1+N2; latency and efficiency rest on when the device thinks
--           the person went to bed, and latency is null when its record does not begin awake; a summary adds up all sleep
--           of the date, naps included, and has no onset; of an estimate, time in bed is the rest that was found
-- method:   sleep_nights/1

with

main_periods as (

    select sleep_periods.*

    from sleep_periods
    inner join dirty_days
        on sleep_periods.user_id = dirty_days.user_id
        and sleep_periods.night_date = dirty_days.local_date

    where sleep_periods.kind = 'main'

),

record_counts as (

    select
        main_periods.user_id,
        main_periods.night_date,
        count(distinct sleep_stretches.segment_start_at) as record_count

    from main_periods
    inner join sleep_stretches
        on main_periods.user_id = sleep_stretches.user_id
        and main_periods.device_id = sleep_stretches.device_id
        and main_periods.started_at = sleep_stretches.episode_started_at

    group by main_periods.user_id, main_periods.night_date

),

-- The source stands beside the other keys: a join on a condition of one side alone compares every row with every other.
found_rests as (

    select
        user_id,
        night_date,
        'estimate' as source,
        started_at,
        duration_min,
        observed_min

    from sleep_windows

),

-- Ours beside the device's own, and alone where the device told none.
estimates as (

    select hypnogram_nights.*

    from hypnogram_nights

    where hypnogram_nights.source = 'estimate'

),

told_nights as (

    select
        main_periods.user_id,
        main_periods.night_date,
        case main_periods.source when 'device' then 'segments' else 'estimate' end as source,
        main_periods.device_id,
        main_periods.started_at,
        main_periods.ended_at,
        coalesce(hypnogram_nights.sleep_onset_at, main_periods.sleep_onset_at) as sleep_onset_at,
        coalesce(hypnogram_nights.sleep_offset_at, main_periods.sleep_offset_at) as sleep_offset_at,
        main_periods.onset_utc_offset_min,
        main_periods.offset_utc_offset_min,
        coalesce(hypnogram_nights.time_in_bed_min, cast(found_rests.observed_min as double)) as time_in_bed_min,
        hypnogram_nights.total_sleep_time_min,
        hypnogram_nights.sleep_onset_latency_min,
        hypnogram_nights.wake_after_sleep_onset_min,
        hypnogram_nights.terminal_wake_min,
        hypnogram_nights.unscored_min,
        hypnogram_nights.sleep_efficiency_pct,
        hypnogram_nights.sleep_maintenance_efficiency_pct,
        hypnogram_nights.light_min,
        hypnogram_nights.deep_min,
        hypnogram_nights.rem_min,
        hypnogram_nights.light_pct,
        hypnogram_nights.deep_pct,
        hypnogram_nights.rem_pct,
        hypnogram_nights.rem_latency_min,
        hypnogram_nights.awakening_count,
        hypnogram_nights.long_awakening_count,
        hypnogram_nights.longest_sleep_min,
        coalesce(
            hypnogram_nights.observed_share_pct,
            100 * cast(found_rests.observed_min as double) / found_rests.duration_min
        ) as observed_share_pct,
        hypnogram_nights.longest_gap_min,
        case
            when hypnogram_nights.user_id is null then 'unstaged'
            else hypnogram_nights.invalid_reason
        end as invalid_reason,
        cast(record_counts.record_count as integer) as record_count

    from main_periods
    left join hypnogram_nights
        on main_periods.user_id = hypnogram_nights.user_id
        and main_periods.night_date = hypnogram_nights.night_date
        and main_periods.source = hypnogram_nights.source
    left join found_rests
        on main_periods.user_id = found_rests.user_id
        and main_periods.night_date = found_rests.night_date
        and main_periods.source = found_rests.source
        and main_periods.started_at = found_rests.started_at
    left join record_counts
        on main_periods.user_id = record_counts.user_id
        and main_periods.night_date = record_counts.night_date

),

summaries as (

    select
        stg_sleep_summaries.*,
        'summary' as source

    from stg_sleep_summaries
    inner join dirty_days
        on stg_sleep_summaries.user_id = dirty_days.user_id
        and stg_sleep_summaries.local_date = dirty_days.local_date

),

candidates as (

    select
        user_id,
        night_date,
        source,
        case source when 'segments' then 1 else 3 end as source_rank

    from told_nights

    union all

    select
        user_id,
        local_date as night_date,
        source,
        2 as source_rank

    from summaries

),

ranked as (

    select
        candidates.*,
        row_number() over (partition by user_id, night_date order by source_rank) as preference

    from candidates

),

chosen as (

    select
        ranked.user_id,
        ranked.night_date,
        ranked.source as chosen_source,
        told_nights.device_id,
        told_nights.started_at,
        told_nights.ended_at,
        told_nights.sleep_onset_at,
        told_nights.sleep_offset_at,
        told_nights.onset_utc_offset_min,
        told_nights.offset_utc_offset_min,
        told_nights.time_in_bed_min,
        told_nights.total_sleep_time_min,
        told_nights.sleep_onset_latency_min,
        told_nights.wake_after_sleep_onset_min,
        told_nights.terminal_wake_min,
        told_nights.unscored_min,
        told_nights.sleep_efficiency_pct,
        told_nights.sleep_maintenance_efficiency_pct,
        told_nights.light_min,
        told_nights.deep_min,
        told_nights.rem_min,
        told_nights.light_pct,
        told_nights.deep_pct,
        told_nights.rem_pct,
        told_nights.rem_latency_min,
        told_nights.awakening_count,
        told_nights.long_awakening_count,
        told_nights.longest_sleep_min,
        told_nights.observed_share_pct,
        told_nights.longest_gap_min,
        told_nights.invalid_reason,
        told_nights.record_count,
        date_diff('millisecond', told_nights.sleep_onset_at, told_nights.sleep_offset_at) as sleep_period_ms,
        date_diff('millisecond', timestamptz '1970-01-01 00:00:00+00', told_nights.sleep_onset_at)
            + cast(told_nights.onset_utc_offset_min as bigint) * 60000 as onset_clock_ms,
        cast(summaries.time_in_bed_min as double) as summed_time_in_bed_min,
        cast(summaries.total_sleep_time_min as double) as summed_sleep_time_min,
        summaries.record_count as summed_record_count

    from ranked
    left join told_nights
        on ranked.user_id = told_nights.user_id
        and ranked.night_date = told_nights.night_date
        and ranked.source = told_nights.source
    left join summaries
        on ranked.user_id = summaries.user_id
        and ranked.night_date = summaries.local_date
        and ranked.source = summaries.source

    where ranked.preference = 1

),

nights as (

    select
        chosen.user_id,                         -- person
        chosen.night_date,                      -- the person's date of waking, at the offset recorded with it
        chosen.chosen_source
            as source,                          -- segments, summary when the source told figures alone, or estimate
        chosen.device_id,                       -- device that told the segments
        chosen.started_at,                      -- in bed from, UTC; of an estimate, start of the rest; null from a summary
        chosen.ended_at,                        -- in bed until, UTC; of an estimate, end of the rest; null from a summary
        chosen.sleep_onset_at,                  -- start of the first 90 s of sleep on end, UTC; null from a summary
        chosen.sleep_offset_at,                 -- end of the last sleep, UTC; null from a summary
        chosen.onset_utc_offset_min,            -- min east of UTC at onset
        chosen.offset_utc_offset_min,           -- min east of UTC at offset
        cast((chosen.onset_clock_ms + chosen.sleep_period_ms / 2) % 86400000 as double) / 60000
            as midpoint_minute,                 -- min after midnight, middle between onset and offset, by the clock at onset
        coalesce(chosen.time_in_bed_min, chosen.summed_time_in_bed_min)
            as time_in_bed_min,                 -- min from the record's start to its end, holes left out
        cast(chosen.sleep_period_ms as double) / 60000
            as sleep_period_min,                -- min from onset to offset (SPT), holes included
        coalesce(chosen.total_sleep_time_min, chosen.summed_sleep_time_min)
            as total_sleep_time_min,            -- min asleep (TST) from onset on
        chosen.sleep_onset_latency_min,         -- min from in bed to onset (SOL); null when the record does not begin awake
        chosen.wake_after_sleep_onset_min,      -- min awake between onset and offset (WASO)
        chosen.terminal_wake_min,               -- min awake after the last sleep
        chosen.unscored_min,                    -- min of the record of which the source does not know the state
        case
            when chosen.chosen_source <> 'summary' then chosen.sleep_efficiency_pct
            when chosen.summed_sleep_time_min <= chosen.summed_time_in_bed_min
                then 100 * chosen.summed_sleep_time_min / nullif(chosen.summed_time_in_bed_min, 0)
        end
            as sleep_efficiency_pct,            -- %, TST / time in bed of known state (SE); null from a sum of more sleep than bed
        chosen.sleep_maintenance_efficiency_pct, -- %, TST / observed time from onset to offset
        chosen.light_min,                       -- min of light sleep; null when there are no stages
        chosen.deep_min,                        -- min of deep sleep; null when there are no stages
        chosen.rem_min,                         -- min of REM sleep; null when there are no stages
        chosen.light_pct,                       -- %, light sleep / TST
        chosen.deep_pct,                        -- %, deep sleep / TST
        chosen.rem_pct,                         -- %, REM sleep / TST
        chosen.rem_latency_min,                 -- min from onset to the first REM sleep
        chosen.awakening_count,                 -- runs of wake between onset and offset
        chosen.long_awakening_count,            -- of them, 5 min and longer
        chosen.longest_sleep_min,               -- min of the longest sleep without wake or hole
        chosen.observed_share_pct,              -- %, observed time / time from onset to offset
        chosen.longest_gap_min,                 -- min of the longest hole between onset and offset
        chosen.invalid_reason,                  -- unobserved, gap or unstaged: why sleep is not measured; null = it is
        coalesce(chosen.record_count, chosen.summed_record_count)
            as record_count,                    -- segments, or the source's own sleep records
        estimates.total_sleep_time_min
            as estimated_total_sleep_time_min,  -- min asleep by the stages of ours, whatever the device told
        estimates.wake_after_sleep_onset_min
            as estimated_wake_after_sleep_onset_min, -- min awake between onset and offset by the stages of ours
        estimates.light_min
            as estimated_light_min,             -- min of light sleep by the stages of ours
        estimates.deep_min
            as estimated_deep_min,              -- min of deep sleep by the stages of ours
        estimates.rem_min
            as estimated_rem_min,               -- min of REM sleep by the stages of ours
        'sleep_nights/1'
            as method_version                   -- formula of this row

    from chosen
    left join estimates
        on chosen.user_id = estimates.user_id
        and chosen.night_date = estimates.night_date

)

select * from nights
