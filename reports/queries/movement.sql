-- movement: the days of the period on which steps were measured. A day's zero steps are zero steps.
--
-- grain:    user_id, local_date
-- inputs:   activity_days
-- params:   $people, $first_date, $last_date
-- caution:  the minutes of activity are the device's own classes, null where it sends none

with

report_people as (

    select unnest(cast($people as varchar[])) as user_id

),

days as (

    select
        activity_days.user_id,
        activity_days.local_date,
        activity_days.step_count,
        activity_days.active_hour_count,
        activity_days.moderate_activity_min,
        activity_days.vigorous_activity_min,
        activity_days.moderate_equivalent_min, -- min; moderate + 2 * vigorous
        activity_days.method_version

    from activity_days
    inner join report_people
        on activity_days.user_id = report_people.user_id

    where
        activity_days.local_date >= cast($first_date as date)
        and activity_days.local_date <= cast($last_date as date)

)

select * from days

order by user_id, local_date
