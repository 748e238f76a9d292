-- long_trends: one row per person, ISO week and figure: the last 13 weeks against the last 52, which they are a part of.
--
-- grain:    user_id, local_date, figure
-- inputs:   week_trends, figures, definitions
-- build:    view
-- source:   90 days against 365, with at least 180 valid days (report rule P2); whole weeks, so that no day of the week
--           weighs more
-- caution:  13 weeks are a season; next to last year's season stands figure_months

with

rules as (

    select max(case when name = 'long_trend_valid_min' then value end) as valid_min

    from definitions

),

pairs_of_windows as (

    select
        year_trends.user_id,
        year_trends.local_date,
        year_trends.figure,
        figures.has_zero,
        season_trends.n as n_91,
        season_trends.mean as mean_91,
        year_trends.n as n_364,
        year_trends.mean as mean_364,
        case
            when year_trends.n < rules.valid_min then 'too_few_valid_days'
            when year_trends.figure_method is null then 'method_changed'
        end as reason

    from week_trends as year_trends
    inner join week_trends as season_trends
        on year_trends.user_id = season_trends.user_id
        and year_trends.local_date = season_trends.local_date
        and year_trends.figure = season_trends.figure
    inner join figures
        on year_trends.figure = figures.figure
    cross join rules

    where
        year_trends.window_days = 364
        and season_trends.window_days = 91

),

trends as (

    select
        user_id,            -- person
        local_date,         -- last day of both windows, a Sunday
        figure,             -- name, see figures
        n_91,               -- valid days in 91 days
        mean_91,            -- their mean, in the unit of figures
        n_364,              -- valid days in 364 days
        mean_364,           -- their mean, in the unit of figures
        case when reason is null then mean_91 - mean_364 end
            as change,      -- unit of figures; null when they are not compared
        case when reason is null and has_zero then 100 * (mean_91 - mean_364) / nullif(mean_364, 0) end
            as change_pct,  -- % of mean_364; null of times of day, and when not compared
        reason              -- why they are not compared: too_few_valid_days or method_changed

    from pairs_of_windows

)

select * from trends
