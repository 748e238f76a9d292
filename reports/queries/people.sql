-- people: one row per person asked for of whom anything is known, with the first and the last date of evidence.
--
-- grain:    user_id
-- inputs:   user_days
-- params:   $people (the people asked for)

with

report_people as (

    select unnest(cast($people as varchar[])) as user_id

),

evidence as (

    select
        user_days.user_id,
        min(user_days.local_date) as first_date, -- first date with any evidence
        max(user_days.local_date) as last_date   -- last date with any evidence

    from user_days
    inner join report_people
        on user_days.user_id = report_people.user_id

    where
        user_days.has_steps
        or user_days.has_heart_rate
        or user_days.has_sleep

    group by user_days.user_id

)

select * from evidence

order by user_id
