-- vo2max_estimates: one row per person and date with a steady run or walk, or a workout: the oxygen uptake it lets us guess.
--
-- grain:    user_id, local_date
-- inputs:   workout_measures, workout_summaries, workout_limit_days, events, profile_days, definitions
-- build:    table
-- lookback: 90 days
-- reach:    90 days
-- source:   ACSM uptake of the even minutes of at least three outdoor runs or walks of 90 days, by their heart rate, drawn out
--           to the highest heart rate; else Nes 2011 with a told index of physical activity; Uth-Sorensen beside it
--           (methods 3.5)
-- audit:    vo2max_method in ('regression', 'questionnaire')
-- audit:    (vo2max_ml_per_kg_min is null) = (vo2max_method is null)
-- audit:    vo2max_low_ml_per_kg_min <= vo2max_high_ml_per_kg_min
-- caution:  an estimate with 10 % either way, no measurement; what comes out below 10 or above 100 ml/(kg min) is no estimate;
--           the ratio of highest to resting heart rate was found in trained men and is far off for others
-- method:   vo2max_estimates/1

with

rules as (

    select
        max(case when name = 'vo2max_workouts_min' then value end) as workouts_min,
        cast(max(case when name = 'vo2max_days' then value end) as integer) as window_days,
        max(case when name = 'vo2max_steady_min' then value end) as steady_min,
        max(case when name = 'vo2max_range_pct' then value end) as range_pct,
        max(case when name = 'vo2max_plausible_min' then value end) as plausible_min,
        max(case when name = 'vo2max_plausible_max' then value end) as plausible_max

    from definitions

),

-- What they take: 0.2 ml/kg for each metre run and 0.9 for each climbed, half and double walking, and 3.5 a minute at rest.
steady as (

    select
        workout_measures.user_id,
        workout_measures.local_date,
        cast(workout_measures.steady_heart_rate_bpm as decimal(9, 1)) as bpm,
        cast(
            case workout_summaries.sport_family
                when 'run'
                    then 0.2 * workout_measures.steady_speed_m_per_min + 0.9 * workout_measures.steady_climb_m_per_min + 3.5
                else 0.1 * workout_measures.steady_speed_m_per_min + 1.8 * workout_measures.steady_climb_m_per_min + 3.5
            end as decimal(9, 3)
        ) as uptake

    from workout_measures
    cross join rules
    inner join workout_summaries
        on workout_measures.user_id = workout_summaries.user_id
        and workout_measures.local_date = workout_summaries.local_date
        and workout_measures.device_id = workout_summaries.device_id
        and workout_measures.workout_id = workout_summaries.workout_id

    where
        workout_measures.steady_min >= rules.steady_min
        and workout_summaries.is_counted
        and workout_summaries.distance_source = 'gps'
        and workout_summaries.sport_family in ('run', 'walk')

),

dates as (

    select
        workout_limit_days.user_id,
        workout_limit_days.local_date,
        workout_limit_days.heart_rate_max_bpm,
        workout_limit_days.resting_heart_rate_bpm,
        workout_limit_days.sex,
        workout_limit_days.age_years

    from workout_limit_days
    inner join dirty_days
        on workout_limit_days.user_id = dirty_days.user_id
        and workout_limit_days.local_date = dirty_days.local_date

),

sums as (

    select
        dates.user_id,
        dates.local_date,
        count(*) as n,
        cast(sum(steady.bpm) as double) as sum_x,
        cast(sum(steady.uptake) as double) as sum_y,
        cast(sum(steady.bpm * steady.bpm) as double) as sum_xx,
        cast(sum(steady.bpm * steady.uptake) as double) as sum_xy

    from dates
    cross join rules
    inner join steady
        on dates.user_id = steady.user_id
        and steady.local_date <= dates.local_date
        and steady.local_date > dates.local_date - rules.window_days

    group by dates.user_id, dates.local_date

),

lines as (

    select
        sums.*,
        case
            when n * sum_xx > sum_x * sum_x then (n * sum_xy - sum_x * sum_y) / (n * sum_xx - sum_x * sum_x)
        end as slope

    from sums

),

-- The index of physical activity is told in a questionnaire, and holds until it is told again.
answers as (

    select
        dates.user_id,
        dates.local_date,
        events.value as activity_index,
        row_number() over (
            partition by dates.user_id, dates.local_date
            order by events.start_at desc, events.device_id
        ) as place

    from dates
    cross join rules
    inner join events
        on dates.user_id = events.user_id
        and events.local_date <= dates.local_date
        and events.local_date > dates.local_date - rules.window_days

    where events.kind = 'profile' and events.name = 'activity_index' and events.value is not null

),

estimates as (

    select
        dates.user_id,
        dates.local_date,
        case
            when lines.n >= rules.workouts_min and lines.slope > 0
                then (lines.sum_y - lines.slope * lines.sum_x) / lines.n + lines.slope * dates.heart_rate_max_bpm
        end as by_regression,
        case dates.sex
            when 'male'
                then 100.27 - 0.296 * dates.age_years - 0.369 * profile_days.waist_mm / 10
                - 0.155 * dates.resting_heart_rate_bpm + 0.226 * answers.activity_index
            when 'female'
                then 74.74 - 0.247 * dates.age_years - 0.259 * profile_days.waist_mm / 10
                - 0.114 * dates.resting_heart_rate_bpm + 0.198 * answers.activity_index
        end as by_questionnaire,
        15.3 * dates.heart_rate_max_bpm / dates.resting_heart_rate_bpm as by_heart_rates,
        coalesce(lines.n, 0) as workout_count

    from dates
    cross join rules
    left join lines
        on dates.user_id = lines.user_id
        and dates.local_date = lines.local_date
    left join profile_days
        on dates.user_id = profile_days.user_id
        and dates.local_date = profile_days.local_date
    left join answers
        on dates.user_id = answers.user_id
        and dates.local_date = answers.local_date
        and answers.place = 1

),

-- A line drawn far out, or a waist that is the height, gives what nobody has: no estimate then.
plausible_estimates as (

    select
        estimates.user_id,
        estimates.local_date,
        case
            when estimates.by_regression between rules.plausible_min and rules.plausible_max then estimates.by_regression
        end as by_regression,
        case
            when estimates.by_questionnaire between rules.plausible_min and rules.plausible_max
                then estimates.by_questionnaire
        end as by_questionnaire,
        estimates.by_heart_rates,
        estimates.workout_count,
        rules.range_pct

    from estimates
    cross join rules

),

days as (

    select
        user_id,                            -- person
        local_date,                         -- the person's date
        round(coalesce(by_regression, by_questionnaire), 3)
            as vo2max_ml_per_kg_min,        -- ml/(kg min); null when there is not enough to tell
        round(coalesce(by_regression, by_questionnaire) * (100 - range_pct) / 100, 3)
            as vo2max_low_ml_per_kg_min,    -- ml/(kg min), the lower end of what it may be
        round(coalesce(by_regression, by_questionnaire) * (100 + range_pct) / 100, 3)
            as vo2max_high_ml_per_kg_min,   -- ml/(kg min), the upper end of what it may be
        case when by_regression is not null then 'regression' when by_questionnaire is not null then 'questionnaire' end
            as vo2max_method,               -- regression (of runs and walks) or questionnaire (Nes)
        round(by_heart_rates, 3)
            as vo2max_uth_ml_per_kg_min,    -- ml/(kg min), 15.3 x highest by resting heart rate, for comparison only
        cast(workout_count as integer)
            as workout_count,               -- runs and walks with enough even minutes
        'vo2max_estimates/1'
            as method_version               -- formula of this row

    from plausible_estimates

    where coalesce(by_regression, by_questionnaire, by_heart_rates) is not null

)

select * from days
