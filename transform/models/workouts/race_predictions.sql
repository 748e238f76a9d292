-- race_predictions: one row per date with a best effort of a run and length: what it says of longer and shorter races.
--
-- grain:    user_id, local_date, distance_m
-- inputs:   workout_efforts, workout_summaries, definitions
-- build:    table
-- lookback: 90 days
-- reach:    90 days
-- source:   T2 = T1 x (D2 / D1)^1.06 (Riegel 1981) from the effort of the last 90 days that predicts the shortest time, 5 km
--           and longer; VDOT after Daniels and Gilbert of efforts of 3.5 min to 4 h (methods 3.5)
-- audit:    predicted_s > 0
-- audit:    vdot_ml_per_kg_min is null or vdot_ml_per_kg_min > 0
-- caution:  an effort in training is slower than a race; from a short one to a marathon it is a guess. What is called a run
--           and was a stroll has no VDOT: the formula goes below 0 there
-- method:   race_predictions/1

with

rules as (

    select
        max(case when name = 'riegel_exponent' then value end) as exponent,
        cast(max(case when name = 'prediction_days' then value end) as integer) as days,
        max(case when name = 'vo2max_plausible_min' then value end) as plausible_min,
        max(case when name = 'vo2max_plausible_max' then value end) as plausible_max

    from definitions

),

runs as (

    select
        workout_efforts.user_id,
        workout_efforts.local_date,
        workout_efforts.distance_m,
        min(workout_efforts.duration_s) as duration_s

    from workout_efforts
    inner join workout_summaries
        on workout_efforts.user_id = workout_summaries.user_id
        and workout_efforts.local_date = workout_summaries.local_date
        and workout_efforts.device_id = workout_summaries.device_id
        and workout_efforts.workout_id = workout_summaries.workout_id

    where
        workout_efforts.effort_kind = 'best'
        and workout_efforts.effort_number >= 2
        and workout_summaries.is_counted
        and workout_summaries.is_clean_track
        and workout_summaries.sport_family = 'run'

    group by workout_efforts.user_id, workout_efforts.local_date, workout_efforts.distance_m

),

lengths as (

    select cast(5000 as double) as distance_m

    union all

    select cast(10000 as double) as distance_m

    union all

    select 21097.5 as distance_m

    union all

    select cast(42195 as double) as distance_m

),

dates as (

    select distinct
        runs.user_id,
        runs.local_date

    from runs
    inner join dirty_days
        on runs.user_id = dirty_days.user_id
        and runs.local_date = dirty_days.local_date

),

predictions as (

    select
        dates.user_id,
        dates.local_date,
        lengths.distance_m,
        runs.distance_m as effort_distance_m,
        runs.duration_s as effort_s,
        runs.local_date as effort_date,
        runs.distance_m / (runs.duration_s / 60) as speed_m_per_min,
        runs.duration_s / 60 as effort_min,
        rules.plausible_min,
        rules.plausible_max,
        runs.duration_s * power(lengths.distance_m / runs.distance_m, rules.exponent) as predicted_s,
        row_number() over (
            partition by dates.user_id, dates.local_date, lengths.distance_m
            order by
                runs.duration_s * power(lengths.distance_m / runs.distance_m, rules.exponent),
                runs.local_date,
                runs.distance_m
        ) as place

    from dates
    cross join rules
    cross join lengths
    inner join runs
        on dates.user_id = runs.user_id
        and runs.local_date <= dates.local_date
        and runs.local_date > dates.local_date - rules.days

),

with_vdot as (

    select
        predictions.*,
        (-4.6 + 0.182258 * speed_m_per_min + 0.000104 * speed_m_per_min * speed_m_per_min)
        / (0.8 + 0.1894393 * exp(-0.012778 * effort_min) + 0.2989558 * exp(-0.1932605 * effort_min)) as vdot

    from predictions

    where place = 1

),

best_predictions as (

    select
        user_id,                    -- person
        local_date,                 -- the person's date
        distance_m,                 -- m: 5 or 10 km, half marathon or marathon
        round(predicted_s, 3) as predicted_s, -- s for the length
        effort_distance_m,          -- m of the effort it is told from
        effort_s,                   -- s of that effort
        effort_date,                -- the date of that effort
        case when effort_min between 3.5 and 240 and vdot between plausible_min and plausible_max then round(vdot, 6) end
            as vdot_ml_per_kg_min,  -- ml/(kg min), oxygen uptake that such a race takes; null of a stroll
        'race_predictions/1'
            as method_version       -- formula of this row

    from with_vdot

)

select * from best_predictions
