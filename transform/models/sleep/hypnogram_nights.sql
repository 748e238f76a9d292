-- hypnogram_nights: one row per person, night and source of stages: the main sleep measured on its hypnogram.
--
-- grain:    user_id, night_date, source
-- inputs:   stg_told_stretches, definitions
-- build:    table
-- lookback: 2 days around
-- daily:    sleep_periods, sleep_stage_estimates
-- reach:    2 days around
-- go:       hypnogram_nights
-- order:    none
-- output:   user_id varchar: person
-- output:   night_date date: the person's date of waking
-- output:   source varchar: device or estimate: who says so
-- output:   period_started_at timestamp with time zone: start of the sleep, UTC: its row of sleep_periods
-- output:   sleep_onset_at timestamp with time zone: start of the first 90 s of sleep on end, UTC
-- output:   sleep_offset_at timestamp with time zone: end of the last sleep, UTC
-- output:   time_in_bed_min double: min from the record's start to its end, holes left out
-- output:   sleep_period_min double: min from onset to offset (SPT), holes included
-- output:   before_onset_min double: min of the record before onset
-- output:   total_sleep_time_min double: min asleep (TST) from onset on
-- output:   sleep_onset_latency_min double: min from in bed to onset (SOL); null when nobody told of lying awake in bed
-- output:   wake_after_sleep_onset_min double: min awake between onset and offset (WASO)
-- output:   terminal_wake_min double: min awake after the last sleep
-- output:   unscored_min double: min of the record of which the source does not know the state
-- output:   sleep_efficiency_pct double: %, TST / time in bed of known state (SE); null of an estimate, which does not know the bed
-- output:   sleep_maintenance_efficiency_pct double: %, TST / observed time from onset to offset
-- output:   awakening_count integer: runs of wake between onset and offset
-- output:   long_awakening_count integer: of them, 5 min and longer
-- output:   longest_sleep_min double: min of the longest sleep without wake or hole
-- output:   light_min double: min of light sleep; null when no stages are told
-- output:   deep_min double: min of deep sleep; null when no stages are told
-- output:   rem_min double: min of REM sleep; null when no stages are told
-- output:   light_pct double: %, light sleep / TST
-- output:   deep_pct double: %, deep sleep / TST
-- output:   rem_pct double: %, REM sleep / TST
-- output:   rem_latency_min double: min from onset to the first REM sleep; null without one
-- output:   observed_share_pct double: %, observed time / time from onset to offset
-- output:   longest_gap_min double: min of the longest hole between onset and offset
-- output:   invalid_reason varchar: unobserved or gap: why the night is not measured; null = it is
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
--           estimate of ours does not know it; the efficiency of a record that begins asleep leaves out what came before
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

-- Times in ms after midnight UTC of the night's date.
stretches as (

    select
        stg_told_stretches.user_id,
        stg_told_stretches.night_date,
        stg_told_stretches.source,
        stg_told_stretches.period_started_at,
        cast(date_diff('day', date '1970-01-01', stg_told_stretches.night_date) as bigint) * 86400000 as midnight_ms,
        stg_told_stretches.started_ms,
        stg_told_stretches.ended_ms,
        case stg_told_stretches.stage
            when 'awake' then 1
            when 'out_of_bed' then 2
            when 'asleep' then 3
            when 'light' then 4
            when 'deep' then 5
            when 'rem' then 6
            else 0
        end as stage_number

    from stg_told_stretches
    inner join dirty_days
        on stg_told_stretches.user_id = dirty_days.user_id
        and stg_told_stretches.night_date = dirty_days.local_date

    where stg_told_stretches.kind = 'main'

),

nights_told as (

    select
        user_id,
        night_date,
        source,
        min(period_started_at) as period_started_at,
        array_agg(cast(started_ms - midnight_ms as integer)) as starts_ms,
        array_agg(cast(ended_ms - midnight_ms as integer)) as ends_ms,
        array_agg(stage_number) as stage_numbers

    from stretches

    group by user_id, night_date, source

),

nights as (

    select
        nights_told.*,
        rules.*

    from nights_told
    cross join rules

)

select * from nights
