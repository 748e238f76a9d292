-- body_days: one row per person and local date with a weight or a share of body fat.
--
-- grain:    user_id, local_date
-- inputs:   readings, profile_days, definitions
-- build:    table
-- lookback: 6 days
-- reach:    6 days
-- source:   weight and body fat as median of the date, weight trend as median of the days of the last 7 (methods 4.3); BMI =
--           kg/m2 of the date's weight and height, from 18 years on (E066)
-- audit:    body_weight_kg > 0
-- audit:    trend_day_count between 1 and 7
-- audit:    (body_weight_kg is null) = (body_weight_trend_kg is null)
-- audit:    body_fat_pct between 0 and 100
-- caution:  a day's weight swings with water by a kilogram and more, its trend does not; BMI says nothing of muscle, of
--           pregnancy or of anybody younger; body fat by a scale is a rough estimate
-- method:   body_days/1

with

rules as (

    select
        max(case when name = 'adult_age_years' then value end) as adult_age_years,
        max(case when name = 'body_trend_days' then value end) as trend_days

    from definitions

),

ranked_readings as (

    select
        user_id,
        local_date,
        metric,
        value,
        row_number() over (partition by user_id, local_date, metric order by value, measured_at, device_id) as place,
        count(*) over (partition by user_id, local_date, metric) as reading_count

    from readings

    where metric in ('body_weight', 'body_fat')

),

-- Twice the median is whole, and stays whole in what follows.
day_medians as (

    select
        user_id,
        local_date,
        metric,
        max(reading_count) as reading_count,
        min(case when 2 * place >= reading_count then value end)
        + min(case when 2 * place > reading_count then value end) as twice_median

    from ranked_readings

    group by user_id, local_date, metric

),

today as (

    select
        day_medians.user_id,
        day_medians.local_date,
        max(case when day_medians.metric = 'body_weight' then day_medians.twice_median end) as twice_weight,
        max(case when day_medians.metric = 'body_weight' then day_medians.reading_count end) as weight_count,
        max(case when day_medians.metric = 'body_fat' then day_medians.twice_median end) as twice_fat,
        max(case when day_medians.metric = 'body_fat' then day_medians.reading_count end) as fat_count

    from day_medians
    inner join dirty_days
        on day_medians.user_id = dirty_days.user_id
        and day_medians.local_date = dirty_days.local_date

    group by day_medians.user_id, day_medians.local_date

),

recent_weights as (

    select
        today.user_id,
        today.local_date,
        day_medians.twice_median,
        row_number() over (
            partition by today.user_id, today.local_date
            order by day_medians.twice_median, day_medians.local_date
        ) as place,
        count(*) over (partition by today.user_id, today.local_date) as day_count

    from today
    cross join rules
    inner join day_medians
        on today.user_id = day_medians.user_id
        and day_medians.local_date <= today.local_date
        and day_medians.local_date > today.local_date - cast(rules.trend_days as integer)

    where
        day_medians.metric = 'body_weight'
        and today.twice_weight is not null

),

trends as (

    select
        user_id,
        local_date,
        max(day_count) as day_count,
        min(case when 2 * place >= day_count then twice_median end)
        + min(case when 2 * place > day_count then twice_median end) as four_times_weight

    from recent_weights

    group by user_id, local_date

),

days as (

    select
        today.user_id,                  -- person
        today.local_date,               -- the person's date
        cast(today.twice_weight as double) / 2000
            as body_weight_kg,          -- kg, median of the date's readings
        cast(today.weight_count as integer)
            as weight_reading_count,    -- readings of weight
        cast(trends.four_times_weight as double) / 4000
            as body_weight_trend_kg,    -- kg, median of the days of the last 7
        cast(trends.day_count as integer)
            as trend_day_count,         -- days it rests on
        case
            when profile_days.age_years >= rules.adult_age_years and profile_days.body_height_mm > 0
                then 500 * cast(today.twice_weight as double)
                    / (cast(profile_days.body_height_mm as double) * profile_days.body_height_mm)
        end
            as body_mass_index_kg_m2,   -- kg/m2; null under 18 years and without age or height
        cast(today.twice_fat as double) / 20
            as body_fat_pct,            -- % of weight, median of the date's readings
        cast(today.fat_count as integer)
            as fat_reading_count,       -- readings of body fat
        'body_days/1'
            as method_version           -- formula of this row

    from today
    cross join rules
    left join trends
        on today.user_id = trends.user_id
        and today.local_date = trends.local_date
    left join profile_days
        on today.user_id = profile_days.user_id
        and today.local_date = profile_days.local_date

)

select * from days
