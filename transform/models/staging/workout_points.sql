-- workout_points: one row per sample of a workout's track as recorded; for people who ask questions of the data.
--
-- grain:    user_id, device_id, workout_id, metric, piece_index, measured_at
-- inputs:   stg_workout_track
-- build:    view
-- caution:  this is where a person was: latitude and longitude are among the metrics

with

samples as (

    select
        user_id,                -- person
        device_id,              -- device or app that recorded it
        workout_id,             -- the device's name of the workout
        metric,                 -- name in the metrics table
        piece_index,            -- of the piece of the track the sample came in
        make_timestamptz(measured_us)
            as measured_at,     -- start of the sample, UTC
        make_timestamp(measured_us + cast(utc_offset_min as bigint) * 60000000)
            as local_at,        -- start of the sample on the person's clock
        local_date,             -- the person's date at the start of the workout
        utc_offset_min,         -- min east of UTC, as recorded
        period_ms,              -- ms that the sample covers from its start; 0 = a spot value
        value                   -- in the metric's unit

    from stg_workout_track

)

select * from samples
