-- stg_workouts: one row per workout, the kind of sport by one name, the device's own figures beside it.
--
-- grain:    user_id, device_id, workout_id
-- inputs:   workouts, workout_totals, sports
-- build:    view
-- caution:  the device's figures are what it says of the whole workout; workout_measures has what we make of its track

with

names as (

    select
        sport_type,
        sport_family,
        setting,
        unnest(string_split(
            concat_ws(',', sport_type, fit_name, health_connect_name, strava_name, other_names), ','
        )) as name

    from sports

),

known_names as (

    select distinct
        sport_type,
        sport_family,
        setting,
        regexp_replace(lower(name), '[^a-z0-9]', '', 'g') as plain_name

    from names

),

totals as (

    select
        user_id,
        device_id,
        workout_id,
        max(case when metric = 'distance' then value end) as device_distance_m,
        max(case when metric = 'active_energy' then value end) as active_energy_kcal,
        max(case when metric = 'moving_time' then value end) as device_moving_s,
        max(case when metric = 'elevation_gain' then value end) as device_elevation_gain_m,
        max(case when metric = 'steps' then value end) as step_count,
        max(case when metric = 'heart_rate_mean' then value end) as device_heart_rate_mean_bpm,
        max(case when metric = 'heart_rate_max' then value end) as device_heart_rate_max_bpm

    from workout_totals

    group by user_id, device_id, workout_id

),

rows_of_workouts as (

    select
        workouts.user_id,                       -- person
        workouts.local_date,                    -- the person's date at the start
        workouts.device_id,                     -- device or app that recorded it
        workouts.workout_id,                    -- the device's name of it
        workouts.sport,                         -- as the device calls it
        coalesce(known_names.sport_type, nullif(lower(workouts.sport), ''), 'unknown')
            as sport_type,                      -- our name of the kind, or the device's where we have none
        coalesce(known_names.sport_family, 'other')
            as sport_family,                    -- what it is measured like
        known_names.setting,                    -- outdoor, indoor, virtual or assisted; null = not known
        epoch_us(workouts.start_at)
            as started_us,                      -- us since 1970-01-01 UTC
        epoch_us(workouts.end_at)
            as ended_us,                        -- us since 1970-01-01 UTC
        workouts.start_at as started_at,        -- start, UTC
        workouts.end_at as ended_at,            -- end, UTC
        workouts.start_utc_offset_min,          -- min east of UTC at the start, as recorded
        case workouts.source when 'native' then 1 when 'import' then 2 else 3 end
            as source_rank,                     -- 1 native, 2 import, 3 manual: lower is preferred
        workouts.source,                        -- native, import or manual
        totals.device_distance_m,               -- m, by the device
        totals.active_energy_kcal,              -- kcal beyond rest, by the device
        totals.device_moving_s,                 -- s without pauses, by the device
        totals.device_elevation_gain_m,         -- m climbed, by the device
        totals.step_count,                      -- steps, by the device
        totals.device_heart_rate_mean_bpm,      -- beats/min, by the device
        totals.device_heart_rate_max_bpm        -- beats/min, by the device

    from workouts
    left join totals
        on workouts.user_id = totals.user_id
        and workouts.device_id = totals.device_id
        and workouts.workout_id = totals.workout_id
    left join known_names
        on regexp_replace(lower(workouts.sport), '[^a-z0-9]', '', 'g') = known_names.plain_name

)

select * from rows_of_workouts
