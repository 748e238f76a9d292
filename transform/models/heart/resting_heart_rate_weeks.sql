-- resting_heart_rate_weeks: one row per person and ISO week with enough days of one definition of resting heart rate.
--
-- grain:    user_id, week_date
-- inputs:   resting_heart_rate_days, definitions
-- build:    table
-- reach:    week
-- source:   median of the daily values of one definition, of at least 4 days; of two with enough days the one asleep
--           (methods 2.2)
-- audit:    resting_heart_rate_bpm between 30 and 110
-- audit:    day_count between 4 and 7
-- caution:  weeks of different definitions are not to be put on one line: awake is higher than asleep
-- method:   resting_heart_rate_weeks/1

with

rules as (

    select value as days_min

    from definitions

    where name = 'resting_week_days_min'

),

weeks_of_days as (

    select
        resting_heart_rate_days.user_id,
        cast(date_trunc('week', resting_heart_rate_days.local_date) as date) as week_date,
        resting_heart_rate_days.resting_heart_rate_source,
        resting_heart_rate_days.resting_heart_rate_bpm

    from resting_heart_rate_days
    inner join dirty_days
        on resting_heart_rate_days.user_id = dirty_days.user_id
        and resting_heart_rate_days.local_date = dirty_days.local_date

),

medians as (

    select
        user_id,
        week_date,
        resting_heart_rate_source,
        median(resting_heart_rate_bpm) as resting_heart_rate_bpm,
        count(*) as day_count

    from weeks_of_days

    group by user_id, week_date, resting_heart_rate_source

),

-- 'asleep' comes before 'awake'.
chosen as (

    select
        medians.user_id,
        medians.week_date,
        medians.resting_heart_rate_source,
        medians.resting_heart_rate_bpm,
        medians.day_count,
        row_number() over (
            partition by medians.user_id, medians.week_date
            order by medians.resting_heart_rate_source
        ) as preference

    from medians
    cross join rules

    where medians.day_count >= rules.days_min

),

weeks as (

    select
        user_id,                    -- person
        week_date,                  -- Monday of the ISO week
        resting_heart_rate_bpm,     -- beats/min, median of the days
        resting_heart_rate_source,  -- asleep or awake: which definition
        cast(day_count as integer)
            as day_count,           -- days with a value of that definition
        'resting_heart_rate_weeks/1'
            as method_version       -- formula of this row

    from chosen

    where preference = 1

)

select * from weeks
