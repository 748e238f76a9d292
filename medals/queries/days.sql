-- days: the days of the people asked for, in the order in which rules go through them.
--
-- grain:    user_id, local_date
-- inputs:   medal_days
-- params:   $people (the people asked for)

with

medal_people as (

    select unnest(cast($people as varchar[])) as user_id

),

days as (

    select
        medal_days.user_id,
        medal_days.local_date,
        cast(medal_days.step_count as double) as step_count,
        cast(medal_days.step_goal as double) as step_goal,
        cast(medal_days.moderate_equivalent_min as double) as moderate_equivalent_min,
        medal_days.main_sleep_min,
        cast(medal_days.sleep_minimum_min as double) as sleep_minimum_min,
        cast(medal_days.worn_min as double) as worn_min,
        cast(medal_days.valid_day_count as double) as valid_day_count,
        cast(medal_days.valid_night_count as double) as valid_night_count,
        medal_days.is_travel_day,
        medal_days.is_illness_day,
        medal_days.step_method,
        medal_days.sleep_method,
        medal_days.wear_method,
        medal_days.method_version

    from medal_days
    inner join medal_people
        on medal_days.user_id = medal_people.user_id

)

select * from days

order by user_id, local_date
