-- heart_rate_recoveries: one row per workout that ended hard and after which the heart was watched: how fast it came down.
--
-- grain:    user_id, local_date, device_id, workout_id
-- inputs:   stg_heart_rate_after_workouts, heart_rate_max_days, definitions
-- build:    table
-- source:   rate at the end of exercise less the rate 60 and 120 s later, from samples within 5 s of those moments that
--           come every 5 s or more often; the end has to be at 70 % of the highest heart rate (Cole 1999; methods 2.5,
--           product rule H10)
-- audit:    recovery_60_s_bpm = heart_rate_end_bpm - heart_rate_60_s_bpm
-- audit:    heart_rate_end_bpm between 25 and 250
-- caution:  a trend of fitness and nothing else; standing still, walking on and lying down give three different figures
-- method:   heart_rate_recoveries/1

with

rules as (

    select
        1000 * max(case when name = 'recovery_end_s' then value end) as end_ms,
        1000 * max(case when name = 'recovery_distance_s' then value end) as distance_ms,
        max(case when name = 'recovery_peak_pct' then value end) as peak_pct

    from definitions

),

moments as (

    select
        stg_heart_rate_after_workouts.user_id,
        stg_heart_rate_after_workouts.local_date,
        stg_heart_rate_after_workouts.device_id,
        stg_heart_rate_after_workouts.workout_id,
        stg_heart_rate_after_workouts.sample_device_id,
        stg_heart_rate_after_workouts.is_track,
        stg_heart_rate_after_workouts.spacing_ms,
        stg_heart_rate_after_workouts.heart_rate_bpm,
        stg_heart_rate_after_workouts.after_end_ms,
        case
            when stg_heart_rate_after_workouts.after_end_ms <= 0 then 0
            when stg_heart_rate_after_workouts.after_end_ms < 90000 then 60
            else 120
        end as moment_s

    from stg_heart_rate_after_workouts
    inner join dirty_days
        on stg_heart_rate_after_workouts.user_id = dirty_days.user_id
        and stg_heart_rate_after_workouts.local_date = dirty_days.local_date

),

-- The workout's own track before others, then the nearest sample to each moment, then the workout's device. The mean of a
-- minute is of no moment, and hides how far the heart came down.
nearest as (

    select
        moments.user_id,
        moments.local_date,
        moments.device_id,
        moments.workout_id,
        moments.moment_s,
        moments.heart_rate_bpm,
        row_number() over (
            partition by moments.user_id, moments.local_date, moments.device_id, moments.workout_id, moments.moment_s
            order by
                moments.is_track desc,
                abs(moments.after_end_ms - 1000 * moments.moment_s),
                case when moments.sample_device_id = moments.device_id then 0 else 1 end,
                moments.sample_device_id,
                moments.after_end_ms
        ) as place

    from moments
    cross join rules

    where
        abs(moments.after_end_ms - 1000 * moments.moment_s)
        <= case when moments.moment_s = 0 then rules.end_ms else rules.distance_ms end
        and moments.spacing_ms <= rules.distance_ms

),

rates as (

    select
        user_id,
        local_date,
        device_id,
        workout_id,
        max(case when moment_s = 0 then heart_rate_bpm end) as heart_rate_end_bpm,
        max(case when moment_s = 60 then heart_rate_bpm end) as heart_rate_60_s_bpm,
        max(case when moment_s = 120 then heart_rate_bpm end) as heart_rate_120_s_bpm

    from nearest

    where place = 1

    group by user_id, local_date, device_id, workout_id

),

recoveries as (

    select
        rates.user_id,              -- person
        rates.local_date,           -- the person's date at the start of the workout
        rates.device_id,            -- device or app that recorded the workout
        rates.workout_id,           -- the device's name of it
        rates.heart_rate_end_bpm,   -- beats/min at the end of the workout
        rates.heart_rate_60_s_bpm,  -- beats/min a minute later
        rates.heart_rate_120_s_bpm, -- beats/min two minutes later; null when it was not measured
        rates.heart_rate_end_bpm - rates.heart_rate_60_s_bpm
            as recovery_60_s_bpm,   -- beats/min, how far it came down in a minute (HRR60)
        rates.heart_rate_end_bpm - rates.heart_rate_120_s_bpm
            as recovery_120_s_bpm,  -- beats/min, how far it came down in two minutes
        100 * rates.heart_rate_end_bpm / heart_rate_max_days.heart_rate_max_bpm
            as end_of_max_pct,      -- % of the highest heart rate that the end was at
        'heart_rate_recoveries/1'
            as method_version       -- formula of this row

    from rates
    inner join heart_rate_max_days
        on rates.user_id = heart_rate_max_days.user_id
        and rates.local_date = heart_rate_max_days.local_date
    cross join rules

    where
        rates.heart_rate_60_s_bpm is not null
        and 100 * rates.heart_rate_end_bpm >= rules.peak_pct * heart_rate_max_days.heart_rate_max_bpm

)

select * from recoveries
