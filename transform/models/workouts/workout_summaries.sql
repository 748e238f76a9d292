-- workout_summaries: one row per workout as a device recorded it, in figures, and whether it is the one that counts.
--
-- grain:    user_id, local_date, device_id, workout_id
-- inputs:   stg_workouts, workout_measures, workout_distances, workout_doubles, workout_limit_days, definitions
-- build:    table
-- source:   distance as workout_distances says; which recording counts as workout_doubles says (methods 3.1, 3.6, product
--           rule W7)
-- audit:    duration_s > 0
-- audit:    distance_source in ('gps', 'device', 'track', 'gps_partial', 'stride')
-- audit:    (distance_m is null) = (distance_source is null)
-- audit:    is_counted = (counted_device_id is null)
-- audit:    moving_s is null or moving_s between 0 and duration_s + 1
-- audit:    heart_rate_source in ('track', 'minutes', 'device')
-- caution:  a total of counted workouts is a total; one of all rows counts an hour twice that two devices recorded. Energy is
--           the device's own; a stride differs from person to person by a tenth and more
-- method:   workout_summaries/1

with

rules as (

    select
        max(case when name = 'track_covered_min_pct' then value end) as covered_min_pct,
        max(case when name = 'track_left_out_max_pct' then value end) as left_out_max_pct

    from definitions

),

measured as (

    select
        stg_workouts.*,
        (stg_workouts.ended_us - stg_workouts.started_us) / 1000000.0 as duration_s,
        workout_measures.fix_count,
        workout_measures.fix_left_out_count,
        workout_measures.gps_distance_m,
        workout_measures.gps_covered_pct,
        workout_measures.gap_count,
        workout_measures.longest_gap_s,
        workout_measures.track_distance_m,
        workout_measures.moving_s as track_moving_s,
        workout_measures.pause_count,
        workout_measures.paused_s,
        workout_measures.elevation_gain_m as track_elevation_gain_m,
        workout_measures.elevation_loss_m,
        workout_measures.heart_rate_source as measured_heart_rate_source,
        workout_measures.heart_rate_mean_bpm,
        workout_measures.heart_rate_max_bpm,
        workout_measures.heart_rate_covered_s,
        workout_measures.zone_1_s,
        workout_measures.zone_2_s,
        workout_measures.zone_3_s,
        workout_measures.zone_4_s,
        workout_measures.zone_5_s,
        workout_measures.edwards_trimp,
        workout_measures.trimp,
        workout_measures.swim_length_count,
        workout_measures.swolf_mean,
        workout_distances.distance_m,
        workout_distances.distance_source,
        coalesce(
            workout_measures.gps_covered_pct >= rules.covered_min_pct
            and workout_measures.gap_count = 0
            and workout_measures.fix_left_out_count * 100 <= rules.left_out_max_pct
            * (workout_measures.fix_count + workout_measures.fix_left_out_count),
            false
        ) as is_clean_track,
        workout_limit_days.zone_system,
        workout_doubles.counted_device_id,
        workout_doubles.counted_workout_id

    from stg_workouts
    inner join dirty_days
        on stg_workouts.user_id = dirty_days.user_id
        and stg_workouts.local_date = dirty_days.local_date
    cross join rules
    left join workout_measures
        on stg_workouts.user_id = workout_measures.user_id
        and stg_workouts.local_date = workout_measures.local_date
        and stg_workouts.device_id = workout_measures.device_id
        and stg_workouts.workout_id = workout_measures.workout_id
    left join workout_limit_days
        on stg_workouts.user_id = workout_limit_days.user_id
        and stg_workouts.local_date = workout_limit_days.local_date
    left join workout_distances
        on stg_workouts.user_id = workout_distances.user_id
        and stg_workouts.local_date = workout_distances.local_date
        and stg_workouts.device_id = workout_distances.device_id
        and stg_workouts.workout_id = workout_distances.workout_id
    left join workout_doubles
        on stg_workouts.user_id = workout_doubles.user_id
        and stg_workouts.local_date = workout_doubles.local_date
        and stg_workouts.device_id = workout_doubles.device_id
        and stg_workouts.workout_id = workout_doubles.workout_id

),

workouts_of_days as (

    select
        measured.user_id,                   -- person
        measured.local_date,                -- the person's date at the start
        measured.device_id,                 -- device or app that recorded it
        measured.workout_id,                -- the device's name of it
        measured.sport,                     -- as the device calls it
        measured.sport_type,                -- our name of the kind, or the device's where we have none
        measured.sport_family,              -- what it is measured like: run, walk, ride, swim ...
        measured.setting,                   -- outdoor, indoor, virtual or assisted; null = not known
        measured.source,                    -- native, import or manual
        measured.started_at,                -- start, UTC
        measured.ended_at,                  -- end, UTC
        measured.start_utc_offset_min,      -- min east of UTC at the start, as recorded
        cast(measured.duration_s as double)
            as duration_s,                  -- s from start to end
        case
            when measured.track_moving_s is not null then measured.track_moving_s
            when measured.device_moving_s <= measured.duration_s then cast(measured.device_moving_s as double)
        end as moving_s,                    -- s without pauses, by the track or else by the device
        measured.pause_count,               -- rests of 5 s and more; null without a track
        measured.paused_s,                  -- s of pauses; null without a track
        measured.distance_m,                -- m
        measured.distance_source,           -- gps, device (its total), track (its distances in time), gps_partial or stride
        measured.active_energy_kcal,        -- kcal beyond rest, by the device
        coalesce(measured.track_elevation_gain_m, cast(measured.device_elevation_gain_m as double))
            as elevation_gain_m,            -- m climbed, by the track or else by the device
        measured.elevation_loss_m,          -- m descended, by the track
        measured.step_count,                -- steps, by the device
        coalesce(measured.measured_heart_rate_source,
            case when measured.device_heart_rate_mean_bpm is not null then 'device' end)
            as heart_rate_source,           -- track, minutes (of the day) or device (its total)
        coalesce(measured.heart_rate_mean_bpm, cast(measured.device_heart_rate_mean_bpm as double))
            as heart_rate_mean_bpm,         -- beats/min, weighted by time
        coalesce(measured.heart_rate_max_bpm, cast(measured.device_heart_rate_max_bpm as bigint))
            as heart_rate_max_bpm,          -- beats/min
        measured.heart_rate_covered_s,      -- s that a heart rate stood for
        measured.zone_system,               -- what zones are shares of: max = of the highest heart rate
        measured.zone_1_s,                  -- s in zone 1
        measured.zone_2_s,                  -- s in zone 2
        measured.zone_3_s,                  -- s in zone 3
        measured.zone_4_s,                  -- s in zone 4
        measured.zone_5_s,                  -- s in zone 5
        measured.trimp,                     -- training impulse, minute by minute
        measured.edwards_trimp,             -- min in each zone, weighted by its number
        measured.swim_length_count,         -- lengths of the pool with their strokes
        measured.swolf_mean,                -- s and strokes per length, mean
        measured.fix_count,                 -- positions of the track
        measured.gps_covered_pct,           -- % of the workout without a gap between positions
        measured.gap_count,                 -- times that positions were further apart than 10 s
        measured.longest_gap_s,             -- s, the longest time without a position
        measured.is_clean_track,            -- positions without gap, that cover the workout and can be
        measured.counted_device_id is null
            as is_counted,                  -- no better recording of the same workout is there
        measured.counted_device_id,         -- device of the better recording
        measured.counted_workout_id,        -- its name of it
        'workout_summaries/1'
            as method_version               -- formula of this row

    from measured

)

select * from workouts_of_days
