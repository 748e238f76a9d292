-- stg_told_stretches: the stretches of one stage of a sleep, as the device told them or as they were estimated.
--
-- grain:    user_id, night_date, period_started_at, source, started_at
-- inputs:   sleep_periods, sleep_stretches, sleep_stage_estimates
-- build:    view
-- caution:  both are here where both are known, and are never to be mixed; estimates are of main sleeps alone

with

told_stretches as (

    select
        sleep_periods.user_id,
        sleep_periods.night_date,
        sleep_periods.started_at as period_started_at,
        sleep_periods.kind,
        'device' as source,
        sleep_stretches.started_at,
        sleep_stretches.ended_at,
        sleep_stretches.stage

    from sleep_periods
    inner join sleep_stretches
        on sleep_periods.user_id = sleep_stretches.user_id
        and sleep_periods.device_id = sleep_stretches.device_id
        and sleep_periods.started_at = sleep_stretches.episode_started_at

    where sleep_periods.source = 'device'

    union all

    select
        sleep_periods.user_id,
        sleep_periods.night_date,
        sleep_periods.started_at as period_started_at,
        sleep_periods.kind,
        'estimate' as source,
        sleep_stage_estimates.started_at,
        sleep_stage_estimates.ended_at,
        sleep_stage_estimates.stage

    from sleep_periods
    inner join sleep_stage_estimates
        on sleep_periods.user_id = sleep_stage_estimates.user_id
        and sleep_periods.night_date = sleep_stage_estimates.night_date

    where sleep_periods.kind = 'main'

),

stretches as (

    select
        user_id,                -- person
        night_date,             -- the person's date at the end of the sleep
        period_started_at,      -- start of the sleep, UTC: with person and date the row of sleep_periods
        kind,                   -- main, nap, split or short, as in sleep_periods
        source,                 -- device or estimate: who says so
        started_at,             -- start of the stretch, UTC
        ended_at,               -- end of the stretch, UTC
        epoch_ms(started_at)
            as started_ms,      -- ms since 1970-01-01 UTC
        epoch_ms(ended_at)
            as ended_ms,        -- ms since 1970-01-01 UTC
        stage                   -- awake, light, deep, rem, asleep, out_of_bed or unknown

    from told_stretches

)

select * from stretches
