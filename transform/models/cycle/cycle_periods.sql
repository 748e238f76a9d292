-- cycle_periods: one row per person and period that was noted, of people whose consent is in force.
--
-- grain:    user_id, start_date
-- inputs:   stg_cycle_events, definitions
-- build:    table
-- lookback: person
-- reach:    person
-- sensitivity: cycle
-- source:   dates of bleeding no more than 3 days apart are one period; a cycle is from start to start (methods 4.4)
-- audit:    start_date <= end_date
-- audit:    bleeding_day_count between 1 and period_days
-- audit:    cycle_length_days > 0
-- caution:  a period nobody noted makes one cycle of two
-- method:   cycle_periods/1

with

rules as (

    select value as gap_days

    from definitions

    where name = 'cycle_period_gap_days'

),

dates as (

    select
        stg_cycle_events.user_id,
        stg_cycle_events.local_date,
        lag(stg_cycle_events.local_date) over (
            partition by stg_cycle_events.user_id order by stg_cycle_events.local_date
        ) as previous_date

    from stg_cycle_events
    inner join (select distinct user_id from dirty_days) as people
        on stg_cycle_events.user_id = people.user_id

),

numbered_dates as (

    select
        dates.user_id,
        dates.local_date,
        sum(
            case when dates.local_date - dates.previous_date <= rules.gap_days then 0 else 1 end
        ) over (
            partition by dates.user_id
            order by dates.local_date
            rows unbounded preceding
        ) as period_number

    from dates
    cross join rules

),

noted_periods as (

    select
        user_id,
        period_number,
        min(local_date) as start_date,
        max(local_date) as end_date,
        count(*) as bleeding_day_count

    from numbered_dates

    group by user_id, period_number

),

periods as (

    select
        user_id,                    -- person
        start_date,                 -- first date of bleeding
        end_date,                   -- last date of bleeding
        cast(end_date - start_date + 1 as integer)
            as period_days,         -- days from the first to the last
        cast(bleeding_day_count as integer)
            as bleeding_day_count,  -- days noted of them
        cast(start_date - lag(start_date) over (partition by user_id order by start_date) as integer)
            as cycle_length_days,   -- days of the cycle that ended with this start; null of the first
        'cycle_periods/1'
            as method_version       -- formula of this row

    from noted_periods

)

select * from periods
