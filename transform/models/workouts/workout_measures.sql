-- workout_measures: one row per workout as a device recorded it, what its track and the person's heart rate come to.
--
-- grain:    user_id, local_date, device_id, workout_id
-- inputs:   stg_workouts, stg_workout_pieces, workout_limit_days, definitions
-- build:    table
-- go:       measure_workouts
-- order:    user_id, local_date, device_id, workout_id, metric, piece_index
-- output:   user_id varchar: person
-- output:   local_date date: the person's date at the start
-- output:   device_id varchar: device or app that recorded it
-- output:   workout_id varchar: the device's name of it
-- output:   fix_count bigint: positions of the track; null when it has none
-- output:   fix_left_out_count bigint: positions that could not be, or were not accurate
-- output:   gps_distance_m double: m along the positions, rest left out
-- output:   gps_covered_pct double: % of the workout without a gap between positions
-- output:   gap_count bigint: times that positions were further apart than 10 s
-- output:   longest_gap_s double: s, the longest time without a position
-- output:   track_distance_m double: m, the sum of the distances that the device told in time
-- output:   moving_s double: s of the track without its pauses
-- output:   pause_count bigint: rests of 5 s and more
-- output:   paused_s double: s of pauses
-- output:   elevation_gain_m double: m climbed, in steps of more than 3 m
-- output:   elevation_loss_m double: m descended, in steps of more than 3 m
-- output:   heart_rate_source varchar: track, or minutes (the person's heart rate by the minute)
-- output:   heart_rate_mean_bpm double: beats/min, each weighted by the time it stood for
-- output:   heart_rate_max_bpm bigint: beats/min, the highest
-- output:   heart_rate_covered_s double: s that a heart rate stood for
-- output:   zone_1_s double: s in zone 1
-- output:   zone_2_s double: s in zone 2
-- output:   zone_3_s double: s in zone 3
-- output:   zone_4_s double: s in zone 4
-- output:   zone_5_s double: s in zone 5
-- output:   edwards_trimp double: min in each zone, weighted by its number
-- output:   trimp double: training impulse, minute by minute; of a person of unknown or other sex by the mean of both weightings
-- output:   swim_length_count bigint: lengths of the pool with their strokes; null of a swim that is not said to be in one
-- output:   swolf_mean double: s and strokes per length, mean
-- output:   steady_min bigint: even minutes of a run or walk on the flat
-- output:   steady_speed_m_per_min double: m/min of these
-- output:   steady_climb_m_per_min double: m climbed per min of these
-- output:   steady_heart_rate_bpm double: beats/min of these
-- lookback: 1 days around
-- dates:    stg_workout_dates
-- reach:    1 days around
-- source:   distance by haversine over positions smoothed by the median of three, pauses, hysteresis of heights, SWOLF
--           (methods 3.6); Banister's TRIMP with the weights of Morton and Green, Edwards (methods 3.4); a heart rate stands
--           until the next, 120 s at most (methods 2.4)
-- audit:    gps_distance_m is null or gps_distance_m >= 0
-- audit:    gps_covered_pct is null or gps_covered_pct between 0 and 100
-- audit:    moving_s is null or moving_s >= 0
-- audit:    trimp is null or trimp >= 0
-- audit:    heart_rate_source in ('track', 'minutes')
-- caution:  positions indoors and of simulations are not used; no position is in this table. Only a sport that names a pool
--           has lengths: of swimming as such nobody knows. Nor does anybody say whether a height is of a barometer or of
--           positions: the steps are those of a barometer, and heights of positions climb more than the person did
-- method:   workout_measures/1

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
        workout_limit_days.resting_heart_rate_bpm,
        workout_limit_days.heart_rate_max_bpm,
        workout_limit_days.zone_1_from_bpm,
        workout_limit_days.zone_2_from_bpm,
        workout_limit_days.zone_3_from_bpm,
        workout_limit_days.zone_4_from_bpm,
        workout_limit_days.zone_5_from_bpm,
        workout_limit_days.sex,
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
    left join workout_limit_days
        on stg_workouts.user_id = workout_limit_days.user_id
        and stg_workouts.local_date = workout_limit_days.local_date
    left join stg_workout_pieces
        on stg_workouts.user_id = stg_workout_pieces.user_id
        and stg_workouts.local_date = stg_workout_pieces.local_date
        and stg_workouts.device_id = stg_workout_pieces.device_id
        and stg_workouts.workout_id = stg_workout_pieces.workout_id
        and stg_workout_pieces.metric in (
            'latitude', 'longitude', 'distance', 'altitude', 'heart_rate', 'heart_rate_by_minute', 'stroke_count'
        )

)

select * from pieces
