-- personal_records: one row per date on which a person was faster over a length than ever before in the kind of sport.
--
-- grain:    user_id, local_date, sport_type, distance_m
-- inputs:   workout_efforts, workout_summaries, definitions
-- build:    table
-- lookback: person
-- reach:    person
-- source:   best efforts of clean tracks of workouts that count, once five workouts of the kind came before; who is as fast
--           again sets no record (methods 3.6, product rule W5)
-- audit:    duration_s > 0
-- audit:    previous_duration_s is null or previous_duration_s > duration_s
-- caution:  what comes late may set a record in the past, and then later ones were none
-- method:   personal_records/1

with

rules as (

    select max(case when name = 'record_sessions_min' then value end) as sessions_min

    from definitions

),

sessions as (

    select
        workout_summaries.user_id,
        workout_summaries.local_date,
        workout_summaries.device_id,
        workout_summaries.workout_id,
        workout_summaries.sport_type,
        workout_summaries.started_at,
        workout_summaries.is_clean_track,
        row_number() over (
            partition by workout_summaries.user_id, workout_summaries.sport_type
            order by workout_summaries.started_at, workout_summaries.device_id, workout_summaries.workout_id
        ) as session_number

    from workout_summaries
    inner join (select distinct user_id from dirty_days) as people
        on workout_summaries.user_id = people.user_id

    where workout_summaries.is_counted

),

efforts as (

    select
        sessions.user_id,
        sessions.local_date,
        sessions.sport_type,
        sessions.started_at,
        sessions.device_id,
        sessions.workout_id,
        sessions.session_number,
        workout_efforts.distance_m,
        workout_efforts.duration_s,
        min(workout_efforts.duration_s) over (
            partition by sessions.user_id, sessions.sport_type, workout_efforts.distance_m
            order by sessions.session_number
            rows between unbounded preceding and 1 preceding
        ) as previous_duration_s

    from sessions
    inner join workout_efforts
        on sessions.user_id = workout_efforts.user_id
        and sessions.local_date = workout_efforts.local_date
        and sessions.device_id = workout_efforts.device_id
        and sessions.workout_id = workout_efforts.workout_id

    where sessions.is_clean_track and workout_efforts.effort_kind = 'best'

),

records_of_sessions as (

    select
        efforts.*,
        row_number() over (
            partition by user_id, local_date, sport_type, distance_m
            order by session_number desc
        ) as place_on_date

    from efforts
    cross join rules

    where
        session_number > rules.sessions_min
        and (previous_duration_s is null or duration_s < previous_duration_s)

),

records_of_dates as (

    select
        user_id,                -- person
        local_date,             -- the person's date
        sport_type,             -- our name of the kind of sport
        distance_m,             -- m: 1, 5 or 10 km, half marathon or marathon
        duration_s,             -- s, the person's fastest until then
        previous_duration_s,    -- s, the fastest before; null = the first time over the length
        session_number,         -- which workout of the kind it was
        started_at,             -- start of the workout, UTC
        device_id,              -- device or app that recorded it
        workout_id,             -- the device's name of it
        'personal_records/1'
            as method_version   -- formula of this row

    from records_of_sessions

    where place_on_date = 1

)

select * from records_of_dates
