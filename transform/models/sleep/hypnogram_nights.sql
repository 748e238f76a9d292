-- hypnogram_nights: one row per person, night and source of stages: the main sleep measured on its hypnogram.
--
-- grain:    user_id, night_date, source
-- inputs:   hypnograms, definitions
-- build:    table
-- lookback: 2 days around
-- reach:    2 days around
-- source:   methods 1.6: onset is the first of three consecutive 30-s epochs of sleep, offset the end of the last sleep;
--           TST, SOL, WASO without the wake after the last sleep, awakenings as runs of wake between onset and offset; what
--           is not observed counts neither as sleep nor as wake, and a night observed for less than 90 % or with a hole of
--           more than 60 min is not measured
-- audit:    source in ('device', 'estimate')
-- audit:    sleep_onset_at < sleep_offset_at
-- audit:    invalid_reason in ('unobserved', 'gap')
-- audit:    (invalid_reason is null) = (total_sleep_time_min is not null)
-- audit:    abs(time_in_bed_min - before_onset_min - total_sleep_time_min - wake_after_sleep_onset_min
--           - terminal_wake_min - unscored_min) < 0.001
-- audit:    sleep_onset_latency_min is null or sleep_onset_latency_min = before_onset_min
-- audit:    total_sleep_time_min + wake_after_sleep_onset_min <= sleep_period_min + 0.001
-- audit:    light_min + deep_min + rem_min <= total_sleep_time_min + 0.001
-- audit:    sleep_efficiency_pct between 0 and 100 and sleep_maintenance_efficiency_pct between 0 and 100
-- audit:    long_awakening_count <= awakening_count
-- audit:    longest_sleep_min <= total_sleep_time_min + 0.001
-- audit:    observed_share_pct between 0 and 100
-- audit:    source = 'device' or sleep_onset_latency_min is null
-- caution:  stages of a watch are estimates whoever makes them: a night's light, deep and REM sleep may be off by 30 to
--           45 min; light = N1+N2; latency and efficiency rest on when the device thinks the person went to bed, and an
--           estimate of ours does not know it
-- method:   hypnogram_nights/1

with

rules as (

    select
        max(case when name = 'sleep_onset_run_ms' then value end) as onset_run_ms,
        max(case when name = 'long_awakening_min' then value end) as long_awakening_min,
        max(case when name = 'night_observed_share_min' then value end) as observed_share_min,
        max(case when name = 'night_gap_max_min' then value end) as gap_max_min

    from definitions

),

bouts as (

    select hypnograms.*

    from hypnograms
    inner join dirty_days
        on hypnograms.user_id = dirty_days.user_id
        and hypnograms.night_date = dirty_days.local_date

    where hypnograms.kind = 'main'

),

-- Spans of one state: light, deep and REM sleep on end are one sleep; out of bed counts as awake.
changes as (

    select
        bouts.*,
        case
            when lag(state) over (partition by user_id, night_date, source order by started_at) = state then 0
            else 1
        end as begins_span

    from bouts

),

spans_numbered as (

    select
        changes.*,
        sum(begins_span) over (
            partition by user_id, night_date, source
            order by started_at
            rows unbounded preceding
        ) as span_number

    from changes

),

spans as (

    select
        user_id,
        night_date,
        source,
        span_number,
        min(state) as state,
        min(started_at) as started_at,
        max(ended_at) as ended_at,
        sum(duration_ms) as span_ms

    from spans_numbered

    group by user_id, night_date, source, span_number

),

onsets as (

    select
        spans.user_id,
        spans.night_date,
        spans.source,
        min(spans.started_at) as sleep_onset_at

    from spans
    cross join rules

    where
        spans.state = 'asleep'
        and spans.span_ms >= rules.onset_run_ms

    group by spans.user_id, spans.night_date, spans.source

),

sleeps as (

    select
        onsets.user_id,
        onsets.night_date,
        onsets.source,
        onsets.sleep_onset_at,
        max(spans.ended_at) as sleep_offset_at

    from onsets
    inner join spans
        on onsets.user_id = spans.user_id
        and onsets.night_date = spans.night_date
        and onsets.source = spans.source

    where
        spans.state = 'asleep'
        and spans.started_at >= onsets.sleep_onset_at

    group by onsets.user_id, onsets.night_date, onsets.source, onsets.sleep_onset_at

),

span_sums as (

    select
        sleeps.user_id,
        sleeps.night_date,
        sleeps.source,
        sum(case
            when spans.state = 'awake' and spans.started_at >= sleeps.sleep_onset_at
                and spans.ended_at <= sleeps.sleep_offset_at
                then 1
            else 0
        end) as awakening_count,
        sum(case
            when spans.state = 'awake' and spans.started_at >= sleeps.sleep_onset_at
                and spans.ended_at <= sleeps.sleep_offset_at and spans.span_ms >= rules.long_awakening_min * 60000
                then 1
            else 0
        end) as long_awakening_count,
        max(case when spans.state = 'asleep' and spans.started_at >= sleeps.sleep_onset_at then spans.span_ms end)
            as longest_sleep_ms,
        max(case
            when spans.state = 'unknown' and spans.started_at >= sleeps.sleep_onset_at
                and spans.ended_at <= sleeps.sleep_offset_at
                then spans.span_ms
            else 0
        end) as longest_gap_ms

    from sleeps
    inner join spans
        on sleeps.user_id = spans.user_id
        and sleeps.night_date = spans.night_date
        and sleeps.source = spans.source
    cross join rules

    group by sleeps.user_id, sleeps.night_date, sleeps.source

),

bout_sums as (

    select
        sleeps.user_id,
        sleeps.night_date,
        sleeps.source,
        sleeps.sleep_onset_at,
        sleeps.sleep_offset_at,
        min(bouts.period_started_at) as period_started_at,
        min(bouts.started_at) as record_started_at,
        max(case when bouts.bout_number = 1 then bouts.stage end) as first_stage,
        sum(case when bouts.is_told then bouts.duration_ms else 0 end) as in_bed_ms,
        sum(case when bouts.is_told and bouts.state = 'unknown' then bouts.duration_ms else 0 end) as unscored_ms,
        sum(case when bouts.state <> 'unknown' and bouts.ended_at <= sleeps.sleep_onset_at then bouts.duration_ms else 0 end)
            as before_onset_ms,
        sum(case when bouts.state = 'awake' and bouts.started_at >= sleeps.sleep_offset_at then bouts.duration_ms else 0 end)
            as terminal_wake_ms,
        sum(case when bouts.state = 'asleep' and bouts.started_at >= sleeps.sleep_onset_at then bouts.duration_ms else 0 end)
            as asleep_ms,
        sum(case
            when bouts.state = 'awake' and bouts.started_at >= sleeps.sleep_onset_at
                and bouts.ended_at <= sleeps.sleep_offset_at
                then bouts.duration_ms
            else 0
        end) as awake_ms,
        sum(case when bouts.stage = 'light' and bouts.started_at >= sleeps.sleep_onset_at then bouts.duration_ms else 0 end)
            as light_ms,
        sum(case when bouts.stage = 'deep' and bouts.started_at >= sleeps.sleep_onset_at then bouts.duration_ms else 0 end)
            as deep_ms,
        sum(case when bouts.stage = 'rem' and bouts.started_at >= sleeps.sleep_onset_at then bouts.duration_ms else 0 end)
            as rem_ms,
        max(case
            when bouts.stage in ('light', 'deep', 'rem') and bouts.started_at >= sleeps.sleep_onset_at then 1
            else 0
        end) as is_staged,
        min(case when bouts.stage = 'rem' and bouts.started_at >= sleeps.sleep_onset_at then bouts.started_at end)
            as first_rem_at

    from sleeps
    inner join bouts
        on sleeps.user_id = bouts.user_id
        and sleeps.night_date = bouts.night_date
        and sleeps.source = bouts.source

    group by sleeps.user_id, sleeps.night_date, sleeps.source, sleeps.sleep_onset_at, sleeps.sleep_offset_at

),

measured as (

    select
        bout_sums.*,
        span_sums.awakening_count,
        span_sums.long_awakening_count,
        span_sums.longest_sleep_ms,
        span_sums.longest_gap_ms,
        date_diff('millisecond', bout_sums.sleep_onset_at, bout_sums.sleep_offset_at) as sleep_period_ms,
        case
            when span_sums.longest_gap_ms > rules.gap_max_min * 60000 then 'gap'
            when
                100 * (bout_sums.asleep_ms + bout_sums.awake_ms)
                < rules.observed_share_min
                * date_diff('millisecond', bout_sums.sleep_onset_at, bout_sums.sleep_offset_at)
                then 'unobserved'
        end as invalid_reason

    from bout_sums
    inner join span_sums
        on bout_sums.user_id = span_sums.user_id
        and bout_sums.night_date = span_sums.night_date
        and bout_sums.source = span_sums.source
    cross join rules

),

nights as (

    select
        user_id,                            -- person
        night_date,                         -- the person's date of waking
        source,                             -- device or estimate: who says so
        period_started_at,                  -- start of the sleep, UTC: its row of sleep_periods
        sleep_onset_at,                     -- start of the first 90 s of sleep on end, UTC
        sleep_offset_at,                    -- end of the last sleep, UTC
        cast(in_bed_ms as double) / 60000
            as time_in_bed_min,             -- min from the record's start to its end, holes left out
        cast(sleep_period_ms as double) / 60000
            as sleep_period_min,            -- min from onset to offset (SPT), holes included
        cast(before_onset_ms as double) / 60000
            as before_onset_min,            -- min of the record before onset
        case when invalid_reason is null then cast(asleep_ms as double) / 60000 end
            as total_sleep_time_min,        -- min asleep (TST) from onset on
        case when source = 'device' and first_stage = 'awake' then cast(before_onset_ms as double) / 60000 end
            as sleep_onset_latency_min,     -- min from in bed to onset (SOL); null when nobody told of lying awake in bed
        case when invalid_reason is null then cast(awake_ms as double) / 60000 end
            as wake_after_sleep_onset_min,  -- min awake between onset and offset (WASO)
        cast(terminal_wake_ms as double) / 60000
            as terminal_wake_min,           -- min awake after the last sleep
        cast(unscored_ms as double) / 60000
            as unscored_min,                -- min of the record of which the source does not know the state
        case when invalid_reason is null and source = 'device' then 100 * cast(asleep_ms as double) / nullif(in_bed_ms, 0) end
            as sleep_efficiency_pct,        -- %, TST / time in bed (SE); null of an estimate, which does not know the bed
        case when invalid_reason is null then 100 * cast(asleep_ms as double) / nullif(asleep_ms + awake_ms, 0) end
            as sleep_maintenance_efficiency_pct, -- %, TST / observed time from onset to offset
        case when invalid_reason is null then cast(awakening_count as integer) end
            as awakening_count,             -- runs of wake between onset and offset
        case when invalid_reason is null then cast(long_awakening_count as integer) end
            as long_awakening_count,        -- of them, 5 min and longer
        case when invalid_reason is null then cast(longest_sleep_ms as double) / 60000 end
            as longest_sleep_min,           -- min of the longest sleep without wake or hole
        case when invalid_reason is null and is_staged = 1 then cast(light_ms as double) / 60000 end
            as light_min,                   -- min of light sleep; null when no stages are told
        case when invalid_reason is null and is_staged = 1 then cast(deep_ms as double) / 60000 end
            as deep_min,                    -- min of deep sleep; null when no stages are told
        case when invalid_reason is null and is_staged = 1 then cast(rem_ms as double) / 60000 end
            as rem_min,                     -- min of REM sleep; null when no stages are told
        case when invalid_reason is null and is_staged = 1 then 100 * cast(light_ms as double) / nullif(asleep_ms, 0) end
            as light_pct,                   -- %, light sleep / TST
        case when invalid_reason is null and is_staged = 1 then 100 * cast(deep_ms as double) / nullif(asleep_ms, 0) end
            as deep_pct,                    -- %, deep sleep / TST
        case when invalid_reason is null and is_staged = 1 then 100 * cast(rem_ms as double) / nullif(asleep_ms, 0) end
            as rem_pct,                     -- %, REM sleep / TST
        case when invalid_reason is null then cast(date_diff('millisecond', sleep_onset_at, first_rem_at) as double) / 60000 end
            as rem_latency_min,             -- min from onset to the first REM sleep; null without one
        100 * cast(asleep_ms + awake_ms as double) / nullif(sleep_period_ms, 0)
            as observed_share_pct,          -- %, observed time / time from onset to offset
        cast(longest_gap_ms as double) / 60000
            as longest_gap_min,             -- min of the longest hole between onset and offset
        invalid_reason,                     -- unobserved or gap: why the night is not measured; null = it is
        'hypnogram_nights/1'
            as method_version               -- formula of this row

    from measured

)

select * from nights
