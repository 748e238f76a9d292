-- highlights: the days and nights of the period that stand out, and the longest run of days that count.
--
-- grain:    user_id, highlight
-- inputs:   activity_days, sleep_nights, user_days
-- params:   $people, $first_date, $closed_date, $closed_night (the last dates whose day and whose night are over)
-- source:   product rule: among valid days or nights only; of equals the earlier

with

report_people as (

    select unnest(cast($people as varchar[])) as user_id

),

days as (

    select
        user_days.user_id,
        user_days.local_date,
        user_days.is_valid_day,
        user_days.is_valid_night

    from user_days
    inner join report_people
        on user_days.user_id = report_people.user_id

    where
        user_days.local_date >= cast($first_date as date)
        and user_days.local_date <= cast($closed_night as date)

),

candidates as (

    select days.user_id, 'most_steps' as highlight, days.local_date, cast(activity_days.step_count as double) as value
    from days
    inner join activity_days
        on days.user_id = activity_days.user_id
        and days.local_date = activity_days.local_date
    where days.is_valid_day and days.local_date <= cast($closed_date as date)

    union all

    select days.user_id, 'most_active' as highlight, days.local_date, cast(activity_days.moderate_equivalent_min as double)
    from days
    inner join activity_days
        on days.user_id = activity_days.user_id
        and days.local_date = activity_days.local_date
    where days.is_valid_day and days.local_date <= cast($closed_date as date)

    union all

    select days.user_id, 'longest_sleep' as highlight, days.local_date, sleep_nights.total_sleep_time_min
    from days
    inner join sleep_nights
        on days.user_id = sleep_nights.user_id
        and days.local_date = sleep_nights.night_date
    where days.is_valid_night

),

ranked as (

    select
        user_id,
        highlight,
        local_date,
        value,
        row_number() over (partition by user_id, highlight order by value desc, local_date) as place,
        count(*) over (partition by user_id, highlight) as chosen_from

    from candidates

    where value > 0

),

numbered as (

    -- within a run the date and the row number rise together
    select
        user_id,
        local_date,
        local_date - cast(row_number() over (partition by user_id order by local_date) as integer) as run

    from days

    where is_valid_day and local_date <= cast($closed_date as date)

),

runs as (

    select
        user_id,
        run,
        min(local_date) as first_date,
        max(local_date) as last_date,
        count(*) as day_count

    from numbered

    group by user_id, run

),

ranked_runs as (

    select
        user_id,
        first_date,
        last_date,
        day_count,
        row_number() over (partition by user_id order by day_count desc, first_date) as place,
        sum(day_count) over (partition by user_id) as chosen_from

    from runs

),

highlights as (

    select user_id, highlight, local_date as first_date, local_date as last_date, value, chosen_from
    from ranked
    where place = 1

    union all

    select user_id, 'longest_run' as highlight, first_date, last_date, cast(day_count as double) as value, chosen_from
    from ranked_runs
    where place = 1 and day_count > 1

)

select
    user_id,
    highlight,
    first_date,
    last_date,
    value,
    cast(chosen_from as bigint) as chosen_from -- valid days or nights it was chosen from

from highlights

order by user_id, highlight
