-- coverage: what is known of each day and night of the period. A date without a row lies outside a person's records.
--
-- grain:    user_id, local_date
-- inputs:   user_days
-- params:   $people, $first_date, $last_date

with

report_people as (

    select unnest(cast($people as varchar[])) as user_id

),

days as (

    select
        user_days.user_id,
        user_days.local_date,
        user_days.has_steps,
        user_days.has_heart_rate,
        user_days.has_sleep,
        user_days.worn_min,       -- min; null when nothing shows whether the watch was worn
        user_days.wear_source,    -- heart_rate or motion
        coalesce(user_days.is_valid_day, false) as is_valid_day,
        coalesce(user_days.is_valid_night, false) as is_valid_night,
        user_days.method_version

    from user_days
    inner join report_people
        on user_days.user_id = report_people.user_id

    where
        user_days.local_date >= cast($first_date as date)
        and user_days.local_date <= cast($last_date as date)

)

select * from days

order by user_id, local_date
