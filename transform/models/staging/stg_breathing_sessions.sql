-- stg_breathing_sessions: one row per breathing exercise, with the heart rate of the device that told it in the five minutes
-- before and after.
--
-- grain:    user_id, local_date, device_id, started_at
-- inputs:   silver.events, silver.series_hours
-- build:    view
-- caution:  only hours about an exercise are opened: a heart rate recorded on the date before midnight is not looked at; an
--           exercise of more than two hours is none

with

sessions as (

    select
        user_id,
        local_date,
        device_id,
        start_at,
        end_at,
        epoch_us(start_at) as start_us,
        epoch_us(end_at) as end_us,
        value

    from silver.events

    where
        kind = 'breathing'
        and end_at > start_at
        and end_at <= start_at + interval 2 hour

),

hours as (

    select
        sessions.user_id,
        sessions.device_id,
        sessions.start_at,
        sessions.start_us,
        sessions.end_us,
        epoch_us(series_hours.hour_at) as hour_us,
        series_hours.period_ms,
        series_hours.offsets_ms,
        series_hours.offsets_ms[1] as first_offset_ms,
        series_hours."values"

    from sessions
    inner join silver.series_hours as series_hours
        on sessions.user_id = series_hours.user_id
        and sessions.local_date = series_hours.local_date
        and sessions.device_id = series_hours.device_id
        and series_hours.hour_at > sessions.start_at - interval 65 minute
        and series_hours.hour_at < sessions.end_at + interval 5 minute

    where series_hours.metric = 'heart_rate'

),

samples as (

    select
        user_id,
        device_id,
        start_at,
        start_us,
        end_us,
        hour_us,
        period_ms,
        first_offset_ms,
        unnest(offsets_ms) as own_offset_ms,
        generate_subscripts("values", 1) - 1 as sample_index,
        unnest("values") as value

    from hours

),

timed_samples as (

    select
        user_id,
        device_id,
        start_at,
        start_us,
        end_us,
        hour_us + 1000 * cast(coalesce(own_offset_ms, first_offset_ms + sample_index * period_ms) as bigint) as measured_us,
        value

    from samples

),

session_hearts as (

    select
        user_id,
        device_id,
        start_at,
        sum(case when measured_us >= start_us - 300000000 and measured_us < start_us then value end) as before_sum_bpm,
        count(case when measured_us >= start_us - 300000000 and measured_us < start_us then 1 end) as before_count,
        sum(case when measured_us >= end_us and measured_us < end_us + 300000000 then value end) as after_sum_bpm,
        count(case when measured_us >= end_us and measured_us < end_us + 300000000 then 1 end) as after_count

    from timed_samples

    group by user_id, device_id, start_at

),

sessions_with_hearts as (

    select
        sessions.user_id,                   -- person
        sessions.local_date,                -- the person's date at the start
        sessions.device_id,                 -- device that told it
        sessions.start_at
            as started_at,                  -- start, UTC
        (sessions.end_us - sessions.start_us) // 1000000
            as duration_s,                  -- s
        sessions.value
            as breath_rate_thousandths,     -- breaths/min in thousandths, as told; null when not
        session_hearts.before_sum_bpm,      -- beats/min, sum of the samples of the 5 min before; null when none
        session_hearts.before_count,        -- samples of the 5 min before
        session_hearts.after_sum_bpm,       -- beats/min, sum of the samples of the 5 min after; null when none
        session_hearts.after_count          -- samples of the 5 min after

    from sessions
    left join session_hearts
        on sessions.user_id = session_hearts.user_id
        and sessions.device_id = session_hearts.device_id
        and sessions.start_at = session_hearts.start_at

)

select * from sessions_with_hearts
