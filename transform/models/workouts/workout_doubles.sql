-- workout_doubles: one row per recording of a workout of which another recording counts.
--
-- grain:    user_id, local_date, device_id, workout_id
-- inputs:   stg_workouts, workout_distances, definitions
-- build:    table
-- lookback: 2 days around
-- reach:    2 days around
-- go:       find_doubles
-- order:    user_id, local_date, place
-- output:   user_id varchar: person
-- output:   local_date date: the person's date at the start
-- output:   device_id varchar: device or app that recorded it
-- output:   workout_id varchar: the device's name of it
-- output:   counted_device_id varchar: device of the recording that counts
-- output:   counted_workout_id varchar: its name of it
-- source:   two recordings are of one workout when they share half of the shorter one, or overlap at all and agree in
--           distance; the device's own goes before an import before what was typed, then the one with positions, then the
--           longer one; one gives way only to one that counts (product rule W7)
-- caution:  recordings of two dates around are looked at: a chain of overlaps that goes on for longer is cut there
-- method:   workout_doubles/1

with

rules as (

    select
        max(case when name = 'workout_same_overlap_pct' then value end) as same_overlap_pct,
        max(case when name = 'workout_same_distance_pct' then value end) as same_distance_pct

    from definitions

),

recordings as (

    select
        stg_workouts.user_id,
        stg_workouts.local_date,
        stg_workouts.device_id,
        stg_workouts.workout_id,
        stg_workouts.started_us,
        stg_workouts.ended_us,
        workout_distances.distance_m,
        -- The place among a person's recordings: every two differ in it.
        row_number() over (
            partition by stg_workouts.user_id
            order by
                stg_workouts.source_rank,
                case when workout_distances.has_positions then 0 else 1 end,
                stg_workouts.ended_us - stg_workouts.started_us desc,
                stg_workouts.local_date,
                stg_workouts.device_id,
                stg_workouts.workout_id
        ) as place

    from stg_workouts
    inner join workout_distances
        on stg_workouts.user_id = workout_distances.user_id
        and stg_workouts.local_date = workout_distances.local_date
        and stg_workouts.device_id = workout_distances.device_id
        and stg_workouts.workout_id = workout_distances.workout_id

),

dates as (

    select distinct
        recordings.user_id,
        recordings.local_date

    from recordings
    inner join dirty_days
        on recordings.user_id = dirty_days.user_id
        and recordings.local_date = dirty_days.local_date

),

-- To each date the recordings around it.
neighbours as (

    select
        dates.user_id,
        dates.local_date,
        recordings.local_date as recording_date,
        recordings.device_id,
        recordings.workout_id,
        recordings.started_us,
        recordings.ended_us,
        cast(recordings.distance_m as double) as distance_m,
        recordings.place,
        cast(rules.same_overlap_pct as double) as same_overlap_pct,
        cast(rules.same_distance_pct as double) as same_distance_pct

    from dates
    cross join rules
    inner join recordings
        on dates.user_id = recordings.user_id
        and recordings.local_date between dates.local_date - 2 and dates.local_date + 2

)

select * from neighbours
