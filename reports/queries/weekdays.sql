-- weekdays: the mean steps of each day of the week, over the valid days of the period.
--
-- grain:    user_id, iso_weekday (1 = Monday)
-- inputs:   activity_days, user_days
-- params:   $people, $first_date, $closed_date (the last date of the period that is over)

with

report_people as (

    select unnest(cast($people as varchar[])) as user_id

),

weekdays as (

    select
        activity_days.user_id,
        isodow(activity_days.local_date) as iso_weekday,
        count(*) as n,
        avg(activity_days.step_count) as step_count_mean

    from activity_days
    inner join report_people
        on activity_days.user_id = report_people.user_id
    inner join user_days
        on activity_days.user_id = user_days.user_id
        and activity_days.local_date = user_days.local_date

    where
        user_days.is_valid_day
        and activity_days.local_date >= cast($first_date as date)
        and activity_days.local_date <= cast($closed_date as date)

    group by activity_days.user_id, isodow(activity_days.local_date)

)

select * from weekdays

order by user_id, iso_weekday
