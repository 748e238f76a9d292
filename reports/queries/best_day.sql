-- best_day: the day of the period on which the person moved most.
--
-- grain:    user_id
-- inputs:   activity_days, user_days, sleep_nights
-- params:   $people, $first_date, $closed_date
-- source:   product rule: among the valid days, by minutes of activity where every one of them has them, else by steps;
--           then by steps, then the earlier date
-- caution:  a row only where the day's figure is above zero

with

report_people as (

    select unnest(cast($people as varchar[])) as user_id

),

days as (

    select
        activity_days.user_id,
        activity_days.local_date,
        activity_days.step_count,
        activity_days.moderate_equivalent_min

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

),

people as (

    select
        user_id,
        count(*) as day_count,
        count(moderate_equivalent_min) = count(*) and max(moderate_equivalent_min) > 0 as has_activity

    from days

    group by user_id

),

ranked as (

    select
        days.user_id,
        days.local_date,
        days.step_count,
        days.moderate_equivalent_min,
        people.day_count,
        people.has_activity,
        row_number() over (
            partition by days.user_id
            order by
                case when people.has_activity then days.moderate_equivalent_min else 0 end desc,
                days.step_count desc,
                days.local_date
        ) as place

    from days
    inner join people
        on days.user_id = people.user_id

),

best as (

    select
        ranked.user_id,
        ranked.local_date,
        case when ranked.has_activity then 'moderate_equivalent_min' else 'step_count' end as judged_by,
        ranked.step_count,
        ranked.moderate_equivalent_min,
        sleep_nights.total_sleep_time_min, -- min; of the night that ended on the morning of that day
        ranked.day_count                   -- valid days it was chosen from

    from ranked
    left join user_days
        on ranked.user_id = user_days.user_id
        and ranked.local_date = user_days.local_date
    left join sleep_nights
        on ranked.user_id = sleep_nights.user_id
        and ranked.local_date = sleep_nights.night_date
        and user_days.is_valid_night

    where
        ranked.place = 1
        and (ranked.has_activity or ranked.step_count > 0)

)

select * from best

order by user_id
