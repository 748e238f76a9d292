-- workout_totals: one row per figure that a device gives of a whole workout.
--
-- grain:    user_id, device_id, workout_id, metric
-- inputs:   silver.workouts
-- build:    view

with

workouts_with_totals as (

    select
        user_id,
        device_id,
        workout_id,
        local_date,
        unnest(totals) as total

    from silver.workouts

    where not coalesce(is_deleted, false)

),

figures as (

    select
        user_id,                    -- person
        device_id,                  -- device or app that recorded it
        workout_id,                 -- the device's name of the workout
        local_date,                 -- the person's date at the start of the workout
        total.metric as metric,     -- name in the metrics table
        total."value" as value      -- in the metric's unit

    from workouts_with_totals

)

select * from figures
