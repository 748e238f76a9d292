-- work_days: one row per person and date that the person declared a work day or a free one.
--
-- grain:    user_id, local_date
-- inputs:   user_days, events, stg_tags
-- build:    table
-- lookback: person
-- reach:    person
-- source:   product rule S11: work and free days are declared, for a weekend is none to whoever works in shifts. A tag
--           work_day or free_day says it of its dates; else profile event work_weekdays, the sum of 1 for Monday, 2 for
--           Tuesday, 4, 8, 16, 32 and 64 for Sunday, says it from its date on. Tag alarm: woken by an alarm
-- audit:    day_kind in ('work', 'free')
-- caution:  a person who declared nothing has no rows
-- method:   work_days/1

with

people as (

    select distinct user_id

    from dirty_days

),

week_patterns as (

    select
        user_id,
        local_date as valid_from,
        value as weekday_bits,
        row_number() over (partition by user_id, local_date order by start_at desc, device_id desc) as recency

    from events

    where
        kind = 'profile'
        and name = 'work_weekdays'

),

patterns as (

    select
        user_id,
        valid_from,
        lead(valid_from) over (partition by user_id order by valid_from) as valid_to,
        weekday_bits

    from week_patterns

    where recency = 1

),

tags as (

    select
        user_id,
        local_date,
        max(case when tag = 'work_day' then 1 else 0 end) as is_work,
        max(case when tag = 'free_day' then 1 else 0 end) as is_free,
        max(case when tag = 'alarm' then 1 else 0 end) as is_alarm

    from stg_tags

    where tag in ('work_day', 'free_day', 'alarm')

    group by user_id, local_date

),

declared as (

    select
        user_days.user_id,
        user_days.local_date,
        case
            when tags.is_work = 1 then 'work'
            when tags.is_free = 1 then 'free'
            when patterns.weekday_bits is null then null
            when
                floor(patterns.weekday_bits / power(2, extract(isodow from user_days.local_date) - 1)) % 2 = 1
                then 'work'
            else 'free'
        end as day_kind,
        coalesce(tags.is_alarm, 0) as is_alarm

    from user_days
    inner join people
        on user_days.user_id = people.user_id
    left join tags
        on user_days.user_id = tags.user_id
        and user_days.local_date = tags.local_date
    left join patterns
        on user_days.user_id = patterns.user_id
        and user_days.local_date >= patterns.valid_from
        and user_days.local_date < coalesce(patterns.valid_to, date '9999-12-31')

),

days as (

    select
        user_id,                -- person
        local_date,             -- the person's date
        day_kind,               -- work or free
        is_alarm = 1
            as is_alarm,        -- the person says that an alarm woke them on this date
        'work_days/1'
            as method_version   -- formula of this row

    from declared

    where day_kind is not null

)

select * from days
