-- workout_distances: one row per workout as a device recorded it, how far it went and what says so.
--
-- grain:    user_id, local_date, device_id, workout_id
-- inputs:   stg_workouts, workout_measures, workout_limit_days, definitions
-- build:    view
-- source:   positions that cover the workout, else the device's figure, else its distances in time, else what positions there
--           are, else steps x stride (methods 3.1, 3.6)
-- caution:  a stride differs from person to person by a tenth and more

with

rules as (

    select
        max(case when name = 'track_covered_min_pct' then value end) as covered_min_pct,
        max(case when name = 'stride_of_height_female' then value end) as stride_female,
        max(case when name = 'stride_of_height_male' then value end) as stride_male

    from definitions

),

sources as (

    select
        stg_workouts.user_id,
        stg_workouts.local_date,
        stg_workouts.device_id,
        stg_workouts.workout_id,
        stg_workouts.device_distance_m,
        workout_measures.gps_distance_m,
        workout_measures.track_distance_m,
        stg_workouts.step_count * workout_limit_days.body_height_mm / 1000.0 * case workout_limit_days.sex
            when 'female' then rules.stride_female
            when 'male' then rules.stride_male
            else (rules.stride_female + rules.stride_male) / 2
        end as stride_distance_m,
        case
            when workout_measures.gps_covered_pct >= rules.covered_min_pct then 'gps'
            when stg_workouts.device_distance_m is not null then 'device'
            when workout_measures.track_distance_m is not null then 'track'
            when workout_measures.gps_distance_m is not null then 'gps_partial'
            when
                stg_workouts.sport_family in ('run', 'walk') and stg_workouts.step_count is not null
                and workout_limit_days.body_height_mm is not null then 'stride'
        end as distance_source

    from stg_workouts
    cross join rules
    left join workout_measures
        on stg_workouts.user_id = workout_measures.user_id
        and stg_workouts.local_date = workout_measures.local_date
        and stg_workouts.device_id = workout_measures.device_id
        and stg_workouts.workout_id = workout_measures.workout_id
    left join workout_limit_days
        on stg_workouts.user_id = workout_limit_days.user_id
        and stg_workouts.local_date = workout_limit_days.local_date

),

distances as (

    select
        user_id,            -- person
        local_date,         -- the person's date at the start
        device_id,          -- device or app that recorded it
        workout_id,         -- the device's name of it
        case distance_source
            when 'gps' then gps_distance_m
            when 'device' then cast(device_distance_m as double)
            when 'track' then track_distance_m
            when 'gps_partial' then gps_distance_m
            when 'stride' then round(stride_distance_m, 0)
        end as distance_m,  -- m; null where nothing says it
        distance_source,    -- gps, device (its total), track (its distances in time), gps_partial or stride
        gps_distance_m is not null
            as has_positions    -- it has a track of positions

    from sources

)

select * from distances
