-- breathing_sessions: one row per breathing exercise of at least a minute.
--
-- grain:    user_id, local_date, device_id, started_at
-- inputs:   stg_breathing_sessions, definitions
-- build:    table
-- source:   minutes, tempo, and heart rate in the five minutes before and after (product rule V5)
-- audit:    duration_min >= 1
-- audit:    heart_rate_before_bpm between 25 and 250
-- audit:    heart_rate_after_bpm between 25 and 250
-- caution:  sitting down alone calms a heart: the difference is not the exercise's alone
-- method:   breathing_sessions/1

with

shortest as (

    select value as duration_min

    from definitions

    where name = 'breathing_session_min'

),

sessions as (

    select
        stg_breathing_sessions.user_id,     -- person
        stg_breathing_sessions.local_date,  -- the person's date at the start
        stg_breathing_sessions.device_id,   -- device that told it
        stg_breathing_sessions.started_at,  -- start, UTC
        cast(stg_breathing_sessions.duration_s as double) / 60
            as duration_min,                -- min
        cast(stg_breathing_sessions.breath_rate_thousandths as double) / 1000
            as breath_rate_per_min,         -- breaths/min as told; null when not
        cast(stg_breathing_sessions.before_sum_bpm as double) / stg_breathing_sessions.before_count
            as heart_rate_before_bpm,       -- beats/min, mean of the 5 min before; null when not measured
        cast(stg_breathing_sessions.after_sum_bpm as double) / stg_breathing_sessions.after_count
            as heart_rate_after_bpm,        -- beats/min, mean of the 5 min after; null when not measured
        'breathing_sessions/1'
            as method_version               -- formula of this row

    from stg_breathing_sessions
    inner join dirty_days
        on stg_breathing_sessions.user_id = dirty_days.user_id
        and stg_breathing_sessions.local_date = dirty_days.local_date
    cross join shortest

    where stg_breathing_sessions.duration_s >= 60 * shortest.duration_min

)

select * from sessions
