-- figure_trends: every trend, over 28 days by days and over 91 and 364 days by weeks.
--
-- grain:    user_id, local_date, figure, window_days
-- inputs:   day_trends, week_trends
-- build:    view

with

all_trends as (

    select * from day_trends

    union all

    select * from week_trends

),

trends as (

    select
        user_id,            -- person
        local_date,         -- last day of the window, a Sunday
        figure,             -- name, see figures
        window_days,        -- 28 by days, 91 and 364 by weeks
        n,                  -- valid days with a value
        point_count,        -- days or weeks the trend is of
        mean,               -- mean of the valid days, in the unit of figures
        slope_per_day,      -- Theil-Sen slope, unit of figures per day
        direction,          -- up, down or level; null of too few points
        p_value,            -- two-sided, Mann-Kendall; null when there is a reason
        is_trend,           -- more than chance
        reason              -- why there is no p-value

    from all_trends

)

select * from trends
