-- baselines: one row per person, day and figure that has a valid value in the 60 days that end with the day: what is usual
-- for the person. How the day stands to it is in deviations.
--
-- grain:    user_id, local_date, figure
-- inputs:   user_days, clock_days, stg_figure_series, definitions
-- build:    table
-- lookback: 59 days
-- reach:    59 days recorded
-- go:       baselines
-- order:    user_id, figure
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

travel_days as (

    select
        user_id,
        local_date

    from clock_days

    where is_travel_day

),

-- Dates are numbers of days since 1970-01-01.
spines as (

    select
        user_days.user_id,
        list(cast(user_days.local_date - date '1970-01-01' as integer)) as dates,
        list(cast(user_days.local_date - date '1970-01-01' as integer))
            filter (where user_days.is_valid_day and travel_days.user_id is null) as valid_days,
        list(cast(user_days.local_date - date '1970-01-01' as integer))
            filter (where user_days.is_valid_night) as valid_nights

    from user_days
    left join travel_days
        on user_days.user_id = travel_days.user_id
        and user_days.local_date = travel_days.local_date

    group by user_days.user_id

),

wanted as (

    select
        user_id,
        list(cast(local_date - date '1970-01-01' as integer)) as dates

    from dirty_days

    group by user_id

),

-- A person's own row comes before those of the figures.
rows_of_people as (

    select
        spines.user_id,
        null as figure,
        null as figure_method,
        null as valid_on,
        spines.dates,
        null as figure_values,
        spines.valid_days,
        spines.valid_nights,
        wanted.dates as wanted_dates

    from spines
    inner join wanted on spines.user_id = wanted.user_id

    union all

    select
        user_id,
        figure,
        figure_method,
        valid_on,
        dates,
        figure_values,
        null as valid_days,
        null as valid_nights,
        null as wanted_dates

    from stg_figure_series

),

figures_of_people as (

    select
        rows_of_people.user_id,
        coalesce(rows_of_people.figure, '') as figure,
        rows_of_people.figure_method,
        rows_of_people.valid_on,
        rows_of_people.dates,
        rows_of_people.figure_values,
        rows_of_people.valid_days,
        rows_of_people.valid_nights,
        rows_of_people.wanted_dates,
        rules.baseline_7_valid_min,
        rules.baseline_28_valid_min,
        rules.baseline_60_valid_min,
        rules.baseline_before_valid_min

    from rows_of_people
    cross join rules

)

select * from figures_of_people
