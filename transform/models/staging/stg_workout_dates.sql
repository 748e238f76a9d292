-- stg_workout_dates: the dates on which samples of workouts may lie.
--
-- grain:    user_id, workout_date, local_date
-- inputs:   workouts
-- build:    view
-- caution:  a workout may go on after midnight, so that the date after its own is one of its dates

with

dates_of_workouts as (

    select
        user_id,
        local_date as workout_date,
        local_date

    from workouts

    union

    select
        user_id,
        local_date as workout_date,
        local_date + 1 as local_date

    from workouts

),

dates as (

    select
        user_id,       -- person
        workout_date,  -- the person's date at the start of a workout
        local_date     -- the person's date on which samples may lie

    from dates_of_workouts

)

select * from dates
