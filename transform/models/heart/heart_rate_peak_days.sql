-- heart_rate_peak_days: one row per person and date with a workout in which heart rate was watched: how high it rose.
--
-- grain:    user_id, local_date
-- inputs:   stg_day_samples, workouts
-- build:    table
-- go:       heart_rate_peak_days
-- order:    none
-- output:   user_id varchar: person
-- output:   local_date date: the person's date at the start of the workouts
-- output:   heart_rate_peak_bpm double: beats/min, mean of the highest minute
-- output:   watched_min integer: min of the workouts that were measured and lie between measured minutes
-- source:   the highest rate of workouts (methods 2.3) that was held for a minute; only minutes that were measured on end
--           count, so that a spot value, which may be a slip of the sensor, is none
-- audit:    heart_rate_peak_bpm between 25 and 230
-- audit:    watched_min >= 1
-- caution:  a workout ends at midnight here; heart rates that only the workout's own track has are not among these
-- method:   heart_rate_peak_days/1

with

-- Whole minutes of workouts: what begins or ends in one is not all effort.
times_of_workouts as (

    select
        user_id,
        local_date,
        array_agg(cast(
            date_diff('minute', timestamptz '1970-01-01 00:00:00+00', start_at + interval '59.999999' second) as integer
        )) as workout_from_minutes,
        array_agg(cast(
            date_diff('minute', timestamptz '1970-01-01 00:00:00+00', end_at) as integer
        )) as workout_until_minutes

    from workouts

    group by user_id, local_date

),

dates as (

    select
        stg_day_samples.user_id,
        stg_day_samples.local_date,
        stg_day_samples.heart_rate_minutes,
        stg_day_samples.heart_rate_sums_bpm,
        stg_day_samples.heart_rate_sample_counts,
        times_of_workouts.workout_from_minutes,
        times_of_workouts.workout_until_minutes

    from stg_day_samples
    inner join dirty_days
        on stg_day_samples.user_id = dirty_days.user_id
        and stg_day_samples.local_date = dirty_days.local_date
    inner join times_of_workouts
        on stg_day_samples.user_id = times_of_workouts.user_id
        and stg_day_samples.local_date = times_of_workouts.local_date

    where stg_day_samples.heart_rate_minutes is not null

)

select * from dates
