-- parts: the figures of each part of the period: of a month its ISO weeks, cut at the month's edges; of a year its months.
--
-- grain:    user_id, part_date, figure
-- inputs:   sleep_nights, heart_rate_days, activity_days, user_days
-- params:   $people, $first_date, $closed_date, $closed_night (the last dates whose day and whose night are over),
--           $part_unit (week or month)
-- source:   a part's mean is over its valid days or nights; its extremes are over all that were measured
-- caution:  the parts at the edges of a month may have a single day

with

report_people as (

    select unnest(cast($people as varchar[])) as user_id

),

days as (

    select
        user_days.user_id,
        user_days.local_date,
        coalesce(user_days.is_valid_day, false) as is_valid_day,
        coalesce(user_days.is_valid_night, false) as is_valid_night,
        user_days.worn_min

    from user_days
    inner join report_people
        on user_days.user_id = report_people.user_id

    where
        user_days.local_date >= cast($first_date as date)
        and user_days.local_date <= cast($closed_night as date)

),

measures as (

    select
        days.user_id,
        days.local_date,
        'valid_day' as figure,
        days.is_valid_day as is_valid,
        cast(days.is_valid_day as integer) as value
    from days
    where days.local_date <= cast($closed_date as date)

    union all

    select days.user_id, days.local_date, 'valid_night' as figure, days.is_valid_night, cast(days.is_valid_night as integer)
    from days

    union all

    select days.user_id, days.local_date, 'total_sleep_time_min' as figure, days.is_valid_night, sleep_nights.total_sleep_time_min
    from days
    inner join sleep_nights
        on days.user_id = sleep_nights.user_id
        and days.local_date = sleep_nights.night_date

    union all

    select days.user_id, days.local_date, 'heart_rate_mean_bpm' as figure, days.is_valid_day, heart_rate_days.heart_rate_mean_bpm
    from days
    inner join heart_rate_days
        on days.user_id = heart_rate_days.user_id
        and days.local_date = heart_rate_days.local_date
    where days.local_date <= cast($closed_date as date)

    union all

    select days.user_id, days.local_date, 'heart_rate_min_bpm' as figure, days.is_valid_day, heart_rate_days.heart_rate_min_bpm
    from days
    inner join heart_rate_days
        on days.user_id = heart_rate_days.user_id
        and days.local_date = heart_rate_days.local_date
    where days.local_date <= cast($closed_date as date)

    union all

    select days.user_id, days.local_date, 'heart_rate_max_bpm' as figure, days.is_valid_day, heart_rate_days.heart_rate_max_bpm
    from days
    inner join heart_rate_days
        on days.user_id = heart_rate_days.user_id
        and days.local_date = heart_rate_days.local_date
    where days.local_date <= cast($closed_date as date)

    union all

    -- a watch on a table sends zeros: days without a worn minute are no evidence of stillness
    select days.user_id, days.local_date, 'step_count' as figure, days.is_valid_day, activity_days.step_count
    from days
    inner join activity_days
        on days.user_id = activity_days.user_id
        and days.local_date = activity_days.local_date
    where
        days.local_date <= cast($closed_date as date)
        and coalesce(days.worn_min, 1) > 0

),

measured as (

    select
        user_id,
        cast(greatest(date_trunc($part_unit, local_date), cast($first_date as date)) as date) as part_date,
        figure,
        is_valid,
        cast(value as double) as value

    from measures

    where value is not null

),

parts as (

    select
        user_id,
        part_date,
        figure,
        count(*) filter (where is_valid) as n,           -- valid days or nights
        avg(value) filter (where is_valid) as mean,      -- over the valid ones
        count(*) as measured_n,
        min(value) as lowest,
        max(value) as highest

    from measured

    group by user_id, part_date, figure

)

select * from parts

order by user_id, part_date, figure
