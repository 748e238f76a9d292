-- baselines: one row per person, day and figure that has a valid value in the 60 days that end with the day: what is usual
-- for the person. How the day stands to it is in deviations.
--
-- grain:    user_id, local_date, figure
-- inputs:   stg_figure_days, definitions
-- build:    table
-- lookback: 59 days
-- reach:    59 days recorded
-- go:       baselines
-- order:    user_id, local_date
-- output:   user_id varchar: person
-- output:   local_date date: the person's date; every window but the one before ends with it
-- output:   figure varchar: name, see figures
-- output:   figure_method varchar: how its values were made; values made otherwise than the latest are left out
-- output:   value double: the figure on the day; null when not measured, or the day is not valid
-- output:   n_7 integer: valid values in 7 days
-- output:   mean_7 double: mean of 7 days; null below baseline_7_valid_min values
-- output:   sd_7 double: standard deviation (n-1) of 7 days; null likewise
-- output:   n_28 integer: valid values in 28 days
-- output:   mean_28 double: mean of 28 days; null below baseline_28_valid_min values
-- output:   median_28 double: median of 28 days; null likewise
-- output:   mad_28 double: median absolute deviation from median_28, not scaled; null likewise
-- output:   n_60 integer: valid values in 60 days
-- output:   mean_60 double: mean of 60 days; null below baseline_60_valid_min values
-- output:   sd_60 double: standard deviation (n-1) of 60 days; null likewise
-- output:   n_before integer: valid values in the 30 days before the day
-- output:   mean_before double: their mean; null below baseline_before_valid_min values
-- output:   sd_before double: their standard deviation (n-1); null likewise
-- source:   means of 7 and 60 days (Plews 2013, Buchheit 2014; methods 2.7), median and MAD of 28 (methods 5.7), the 30 days
--           before the day (methods 4.5)
-- audit:    n_7 <= n_28 and n_28 <= n_60 and n_60 >= 1
-- audit:    mad_28 >= 0 and sd_60 >= 0
-- audit:    (mean_28 is null) = (median_28 is null)
-- caution:  what is usual is not what is good; a day without a row of user_days has none here. A change of method begins
--           the baseline anew
-- method:   baselines/1

with

rules as (

    select
        max(case when name = 'baseline_7_valid_min' then value end) as baseline_7_valid_min,
        max(case when name = 'baseline_28_valid_min' then value end) as baseline_28_valid_min,
        max(case when name = 'baseline_60_valid_min' then value end) as baseline_60_valid_min,
        max(case when name = 'baseline_before_valid_min' then value end) as baseline_before_valid_min

    from definitions

),

-- Between the first and the last dirty day of a person, and the windows before.
people as (

    select
        user_id,
        min(local_date) as first_date,
        max(local_date) as last_date

    from dirty_days

    group by user_id

),

days as (

    select
        stg_figure_days.user_id,
        stg_figure_days.local_date,
        dirty_days.user_id is not null as is_wanted,
        stg_figure_days.steps,
        stg_figure_days.rest_asleep,
        stg_figure_days.rest_awake,
        stg_figure_days.sleep,
        stg_figure_days.sleep_clock,
        rules.baseline_7_valid_min,
        rules.baseline_28_valid_min,
        rules.baseline_60_valid_min,
        rules.baseline_before_valid_min

    from stg_figure_days
    inner join people
        on stg_figure_days.user_id = people.user_id
        and stg_figure_days.local_date >= people.first_date - 59
        and stg_figure_days.local_date <= people.last_date
    left join dirty_days
        on stg_figure_days.user_id = dirty_days.user_id
        and stg_figure_days.local_date = dirty_days.local_date
    cross join rules

)

select * from days
