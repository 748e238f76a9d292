-- week_trends: one row per person, ISO week, figure and window: whether it moves over the 13 or 52 weeks that end with the
-- week, week by week.
--
-- grain:    user_id, local_date, figure, window_days
-- inputs:   figure_weeks, definitions
-- build:    table
-- lookback: person
-- reach:    363 days recorded
-- closes:   week
-- go:       week_trends
-- order:    user_id, figure, local_date
-- output:   user_id varchar: person
-- output:   local_date date: last day of the window, a Sunday
-- output:   figure varchar: name, see figures
-- output:   window_days integer: 91 or 364: 13 or 52 whole weeks
-- output:   figure_method varchar: how the values of valid days were made; null when not all alike
-- output:   n integer: valid days with a value
-- output:   point_count integer: points the trend is of: the medians of weeks with week_valid_min valid days
-- output:   span_days integer: days from the first point to the last
-- output:   mean double: mean of the valid days, in the unit of figures
-- output:   slope_per_day double: Theil-Sen slope, unit of figures per day; null below trend_direction_point_min points
-- output:   direction varchar: up, down or level: the sign of kendall_s; null likewise
-- output:   kendall_s integer: pairs of points that rise less those that fall; 0 without a direction
-- output:   kendall_z double: Mann-Kendall Z with the corrections for ties and continuity; null when there is a reason, or no two points differ
-- output:   p_value double: two-sided probability of such a Z without a trend; null likewise
-- output:   is_trend boolean: |kendall_z| is at least trend_week_z_min; a direction without it may be chance
-- output:   reason varchar: why there is no p-value: too_few_points, too_short or method_changed
-- source:   slope after Sen 1968, Mann 1945 and Kendall 1975 with ties, over weekly medians, which have no day of the week
--           (methods 5.1)
-- audit:    point_count between 0 and n
-- audit:    p_value between 0 and 1
-- audit:    (slope_per_day is null) = (direction is null)
-- audit:    not is_trend or reason is null and direction <> 'level'
-- caution:  a year has seasons: a trend over 91 days may be one
-- method:   week_trends/1

with

rules as (

    select
        max(case when name = 'trend_direction_point_min' then value end) as direction_point_min,
        max(case when name = 'trend_point_min' then value end) as point_min,
        max(case when name = 'trend_span_min_days' then value end) as span_min_days,
        max(case when name = 'trend_week_z_min' then value end) as z_min,
        max(case when name = 'week_valid_min' then value end) as valid_min

    from definitions

),

-- The dirty days that close a period.
closing_days as (

    select
        user_id,
        local_date

    from dirty_days

    where date_diff('day', date '2000-01-03', local_date) % 7 = 6

),

people as (

    select
        user_id,
        min(local_date) as first_date,
        max(local_date) as last_date

    from closing_days

    group by user_id

),

days as (

    select
        figure_weeks.user_id,
        figure_weeks.figure,
        figure_weeks.local_date,
        figure_weeks.figure_method,
        figure_weeks.n,
        figure_weeks.mean,
        figure_weeks.median,
        closing_days.user_id is not null as is_wanted,
        rules.direction_point_min,
        rules.point_min,
        rules.span_min_days,
        rules.z_min,
        rules.valid_min

    from figure_weeks
    inner join people
        on figure_weeks.user_id = people.user_id
        and figure_weeks.local_date >= people.first_date - 363
        and figure_weeks.local_date <= people.last_date
    left join closing_days
        on figure_weeks.user_id = closing_days.user_id
        and figure_weeks.local_date = closing_days.local_date
    cross join rules

)

select * from days
