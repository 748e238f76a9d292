-- figure_weeks: one row per person, week and figure that was measured in it: what the week was like, and how it
-- compares. A week has its rows when its last day is one of user_days, so that no part of one is compared with a whole.
--
-- grain:    user_id, local_date, figure
-- inputs:   stg_figure_days, definitions
-- build:    table
-- lookback: 27 days
-- reach:    27 days recorded
-- closes:   week
-- go:       weeks
-- order:    user_id, local_date
-- output:   user_id varchar: person
-- output:   local_date date: last day of the week
-- output:   iso_week varchar: ISO week, such as 2026-W53
-- output:   figure varchar: name, see figures
-- output:   figure_method varchar: how the values of valid days were made; null when not all alike, or none is valid
-- output:   method_count integer: in how many ways they were made: above 1 a method changed within the week
-- output:   n integer: valid days with a value, which all that follows is of
-- output:   measured_n integer: days with a value, valid or not
-- output:   day_count integer: days of the week
-- output:   is_sufficient boolean: n is enough for the week to stand for itself (week_sufficient_min)
-- output:   mean double: mean of the valid days, in the unit of figures; null when there is none
-- output:   median double: median of the valid days (percentile_cont)
-- output:   q1 double: first quartile of the valid days (percentile_cont)
-- output:   q3 double: third quartile of the valid days (percentile_cont)
-- output:   lowest double: lowest value of a valid day
-- output:   highest double: highest value of a valid day
-- output:   previous_n integer: valid days of the week before
-- output:   previous_mean double: mean of the week before, over its valid days
-- output:   previous_mad double: median absolute deviation of its single valid days: the figure's own noise
-- output:   previous_change double: mean - previous_mean; null when they are not compared
-- output:   previous_change_pct double: % of previous_mean; null of times of day, of nothing, and when not compared
-- output:   previous_reason varchar: why they are not compared: too_few_valid_days, too_few_valid_days_before or method_changed
-- output:   previous_is_beyond_noise boolean: the change is larger than noise_mad x previous_mad, and than noise_pct
-- output:   three_weeks_n integer: valid days of the three weeks before, as one
-- output:   three_weeks_mean double: mean of the three weeks before, as one, over its valid days
-- output:   three_weeks_mad double: median absolute deviation of its single valid days: the figure's own noise
-- output:   three_weeks_change double: mean - three_weeks_mean; null when they are not compared
-- output:   three_weeks_change_pct double: % of three_weeks_mean; null of times of day, of nothing, and when not compared
-- output:   three_weeks_reason varchar: why they are not compared: too_few_valid_days, too_few_valid_days_before or method_changed
-- output:   three_weeks_is_beyond_noise boolean: the change is larger than noise_mad x three_weeks_mad, and than noise_pct
-- source:   means of valid days, both weeks of at least 4 (methods 5.1); against the three weeks before, and noise, after
--           report rule P6; ISO 8601 weeks (methods 6.3)
-- audit:    n between 0 and measured_n and measured_n between 1 and day_count
-- audit:    lowest <= q1 and q1 <= median and median <= q3 and q3 <= highest
-- audit:    (previous_change is null) = (previous_reason is not null)
-- audit:    (three_weeks_change is null) = (three_weeks_reason is not null)
-- caution:  means of valid days, never sums: a week with fewer days is not a lesser one. Days of travel over
--           time zones are not valid, nights are. The last day may still be going on
-- method:   figure_weeks/1

with

rules as (

    select
        max(case when name = 'week_sufficient_min' then value end) as sufficient_min,
        max(case when name = 'week_valid_min' then value end) as valid_min,
        max(case when name = 'three_weeks_valid_min' then value end) as comparison_valid_min,
        max(case when name = 'noise_mad' then value end) as noise_mad,
        max(case when name = 'noise_pct' then value end) as noise_pct

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
        rules.sufficient_min,
        rules.valid_min,
        rules.comparison_valid_min,
        rules.noise_mad,
        rules.noise_pct

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
