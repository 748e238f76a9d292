-- workout_efforts: one row per kilometre of a workout, and one per length of which it has a best effort.
--
-- grain:    user_id, local_date, device_id, workout_id, effort_kind, effort_number
-- inputs:   stg_workouts, stg_workout_pieces, definitions
-- build:    table
-- go:       find_efforts
-- order:    user_id, local_date, device_id, workout_id, metric, piece_index
-- output:   user_id varchar: person
-- output:   local_date date: the person's date at the start of the workout
-- output:   device_id varchar: device or app that recorded it
-- output:   workout_id varchar: the device's name of the workout
-- output:   effort_kind varchar: split (kilometre after kilometre) or best (the fastest part of a length)
-- output:   effort_number bigint: of the split from 1; of best efforts 1 = 1 km, 2 = 5 km, 3 = 10 km, 4 = half marathon, 5 = marathon
-- output:   distance_m double: m; of the last split what was left, from 0.1 m on
-- output:   started_s double: s since the start of the workout
-- output:   duration_s double: s
-- source:   boundaries by linear interpolation; the fastest of all windows that begin or end at a sample (methods 3.6)
-- audit:    effort_kind in ('split', 'best')
-- audit:    distance_m > 0
-- audit:    duration_s > 0
-- caution:  pauses count: it is the time that passed; a best effort has no gap longer than 10 s in it, a split may
-- method:   workout_efforts/1

with

rules as (

    select
        max(case when name = 'track_speed_cap_run_m_per_s' then value end) as cap_run,
        max(case when name = 'track_speed_cap_ride_m_per_s' then value end) as cap_ride,
        max(case when name = 'track_speed_cap_other_m_per_s' then value end) as cap_other,
        max(case when name = 'track_moving_run_m_per_s' then value end) as moving_run,
        max(case when name = 'track_moving_ride_m_per_s' then value end) as moving_ride,
        max(case when name = 'track_pause_s' then value end) as pause_s,
        max(case when name = 'track_gap_s' then value end) as gap_s,
        max(case when name = 'track_climb_m' then value end) as climb_m

    from definitions

),

pieces as (

    select
        stg_workouts.user_id,
        stg_workouts.local_date,
        stg_workouts.device_id,
        stg_workouts.workout_id,
        stg_workouts.started_us,
        stg_workouts.ended_us,
        stg_workouts.sport_family,
        stg_workouts.setting,
        cast(
            case
                when stg_workouts.sport_family in ('run', 'walk') then rules.cap_run
                when stg_workouts.sport_family = 'ride' then rules.cap_ride
                else rules.cap_other
            end as double
        ) as speed_cap_m_per_s,
        cast(
            case when stg_workouts.sport_family = 'ride' then rules.moving_ride else rules.moving_run end as double
        ) as moving_from_m_per_s,
        cast(rules.pause_s as double) as pause_from_s,
        cast(rules.gap_s as double) as gap_from_s,
        cast(rules.climb_m as double) as climb_from_m,
        cast(null as double) as resting_heart_rate_bpm,
        cast(null as double) as heart_rate_max_bpm,
        cast(null as double) as zone_1_from_bpm,
        cast(null as double) as zone_2_from_bpm,
        cast(null as double) as zone_3_from_bpm,
        cast(null as double) as zone_4_from_bpm,
        cast(null as double) as zone_5_from_bpm,
        cast(null as varchar) as sex,
        stg_workout_pieces.metric,
        stg_workout_pieces.piece_index,
        stg_workout_pieces.from_us,
        stg_workout_pieces.period_ms,
        stg_workout_pieces.offsets_ms,
        stg_workout_pieces.sample_values

    from stg_workouts
    inner join dirty_days
        on stg_workouts.user_id = dirty_days.user_id
        and stg_workouts.local_date = dirty_days.local_date
    cross join rules
    inner join stg_workout_pieces
        on stg_workouts.user_id = stg_workout_pieces.user_id
        and stg_workouts.local_date = stg_workout_pieces.local_date
        and stg_workouts.device_id = stg_workout_pieces.device_id
        and stg_workouts.workout_id = stg_workout_pieces.workout_id

    where stg_workout_pieces.metric in ('latitude', 'longitude', 'distance')

)

select * from pieces
