-- goal_weeks: the active minutes of each ISO week that ends in the period, so that every week belongs to one period.
--
-- grain:    user_id, week_date (its Monday)
-- inputs:   activity_days, user_days
-- params:   $people, $first_date, $closed_date (the last date of the period that is over)
-- source:   World Health Organization 2020: moderate minutes plus twice the vigorous ones
-- caution:  a sum over the days measured: a week short of the goal with days missing may have reached it

with

report_people as (

    select unnest(cast($people as varchar[])) as user_id

),

days as (

    select
        activity_days.user_id,
        cast(date_trunc('week', activity_days.local_date) as date) as week_date,
        activity_days.moderate_equivalent_min

    from activity_days
    inner join report_people
        on activity_days.user_id = report_people.user_id
    left join user_days
        on activity_days.user_id = user_days.user_id
        and activity_days.local_date = user_days.local_date

    where
        -- a watch on a table sends zeros: days without a worn minute are no evidence of stillness
        coalesce(user_days.worn_min, 1) > 0
        and activity_days.moderate_equivalent_min is not null
        and activity_days.local_date >= cast($first_date as date) - 6
        and activity_days.local_date <= cast($closed_date as date)

),

weeks as (

    select
        user_id,
        week_date,
        sum(moderate_equivalent_min) as moderate_equivalent_min,
        count(*) as measured_n

    from days

    where
        week_date + 6 >= cast($first_date as date)
        and week_date + 6 <= cast($closed_date as date)

    group by user_id, week_date

)

select
    user_id,
    week_date,
    cast(moderate_equivalent_min as bigint) as moderate_equivalent_min,
    measured_n

from weeks

order by user_id, week_date
