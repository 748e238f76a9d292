-- stg_workout_track: one row per sample of the track of a workout, all devices, unnested from the hours.
--
-- grain:    user_id, device_id, workout_id, metric, piece_index, measured_us
-- inputs:   silver.workouts, silver.workout_points
-- build:    view
-- caution:  latitude and longitude are here and in workout_points, and in no table made from them

with

-- Tracks and workouts are two tables, written one after the other. A track that is not of the version that the workout
-- is at waits until both are.
pieces as (

    select
        points.user_id,
        points.device_id,
        points.workout_id,
        points.local_date,
        points.metric,
        points.piece_index,
        points.utc_offset_min,
        points.period_ms,
        epoch_us(points.hour_at) as hour_us,
        points.offsets_ms,
        points.offsets_ms[1] as first_offset_ms,
        points."values"

    from silver.workout_points as points
    inner join silver.workouts as workouts
        on points.user_id = workouts.user_id
        and points.device_id = workouts.device_id
        and points.workout_id = workouts.workout_id
        and points.local_date = workouts.local_date
        and points.revision is not distinct from workouts.revision

    where points.piece_index > 0 and not coalesce(workouts.is_deleted, false)

),

-- Lists unnested together are padded with nulls to the longest: an hour that stores one offset has it on its first
-- sample only, and the others follow it one period apart.
samples as (

    select
        user_id,
        device_id,
        workout_id,
        local_date,
        metric,
        piece_index,
        utc_offset_min,
        period_ms,
        hour_us,
        first_offset_ms,
        unnest(offsets_ms) as own_offset_ms,
        generate_subscripts("values", 1) - 1 as sample_index,
        unnest("values") as value

    from pieces

),

timed_samples as (

    select
        user_id,                -- person
        device_id,              -- device or app that recorded it
        workout_id,             -- the device's name of the workout
        local_date,             -- the person's date at the start of the workout
        metric,                 -- name in the metrics table
        piece_index,            -- of the piece of the track the sample came in
        utc_offset_min,         -- min east of UTC, as recorded
        period_ms,              -- ms that the sample covers from its start; 0 = a spot value
        hour_us + 1000 * cast(coalesce(own_offset_ms, first_offset_ms + sample_index * period_ms) as bigint)
            as measured_us,     -- us since 1970-01-01 UTC, start of the sample
        value                   -- in the metric's unit

    from samples

)

select * from timed_samples
