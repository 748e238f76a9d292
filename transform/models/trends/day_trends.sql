-- day_trends: one row per person, ISO week and figure: whether it moves over the 28 days that end with the week, day by day.
--
-- grain:    user_id, local_date, figure
-- inputs:   stg_figure_days, definitions
-- build:    table
-- lookback: 27 days
-- reach:    27 days recorded
-- closes:   week
-- go:       day_trends
-- order:    user_id, local_date
-- output:   user_id varchar: person
-- output:   local_date date: last day of the window, a Sunday
-- output:   figure varchar: name, see figures
-- output:   window_days integer: 28
-- output:   figure_method varchar: how the values of valid days were made; null when not all alike
-- output:   n integer: valid days with a value
-- output:   point_count integer: points the trend is of: the valid days
-- output:   span_days integer: days from the first point to the last
-- output:   mean double: mean of the valid days, in the unit of figures
-- output:   slope_per_day double: Theil-Sen slope, unit of figures per day; null below trend_direction_point_min points
-- output:   direction varchar: up, down or level: the sign of kendall_s; null likewise
-- output:   kendall_s integer: pairs of points that rise less those that fall; 0 without a direction
-- output:   kendall_z double: Mann-Kendall Z with the corrections for ties and continuity; null when there is a reason, or no two points differ
-- output:   p_value double: two-sided probability of such a Z without a trend; null likewise
-- output:   is_trend boolean: |kendall_z| is at least trend_day_z_min; a direction without it may be chance
-- output:   reason varchar: why there is no p-value: too_few_points, too_short or method_changed
-- source:   slope after Sen 1968, Mann 1945 and Kendall 1975 with ties (methods 5.1); missing days have no point
-- audit:    point_count between 0 and n
-- audit:    p_value between 0 and 1
-- audit:    (slope_per_day is null) = (direction is null)
-- audit:    not is_trend or reason is null and direction <> 'level'
-- caution:  days of a week differ, and days that follow each other are alike: the wider margin allows for it, a calendar does
--           not explain it. See week_trends for longer windows
-- method:   day_trends/1

with

rules as (

    select
        max(case when name = 'trend_direction_point_min' then value end) as direction_point_min,
        max(case when name = 'trend_point_min' then value end) as point_min,
        max(case when name = 'trend_span_min_days' then value end) as span_min_days,
        max(case when name = 'trend_day_z_min' then value end) as z_min

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
        stg_figure_days.user_id,
        stg_figure_days.local_date,
        closing_days.user_id is not null as is_wanted,
        stg_figure_days.steps,
        stg_figure_days.activity,
        stg_figure_days.wear,
        stg_figure_days.heart,
        stg_figure_days.rest_asleep,
        stg_figure_days.rest_awake,
        stg_figure_days.sleep,
        stg_figure_days.sleep_parts,
        stg_figure_days.sleep_clock,
        rules.direction_point_min,
        rules.point_min,
        rules.span_min_days,
        rules.z_min

    from stg_figure_days
    inner join people
        on stg_figure_days.user_id = people.user_id
        and stg_figure_days.local_date >= people.first_date - 27
        and stg_figure_days.local_date <= people.last_date
    left join closing_days
        on stg_figure_days.user_id = closing_days.user_id
        and stg_figure_days.local_date = closing_days.local_date
    cross join rules

)

select * from days
