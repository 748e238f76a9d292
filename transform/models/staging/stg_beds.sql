-- stg_beds: a person's times in bed that touch a date, as lists.
--
-- grain:    user_id, local_date
-- inputs:   in_bed_days
-- build:    view
-- caution:  a time over midnight stands on both dates, whole; times of several devices overlap, and are in no order

with

beds as (

    select
        user_id,                    -- person
        local_date,                 -- the person's date
        array_agg(cast(from_minute as integer))
            as bed_from_minutes,    -- minutes since 1970-01-01 UTC in which each begins
        array_agg(cast(until_minute as integer))
            as bed_until_minutes    -- the minutes after the last of each

    from in_bed_days

    group by user_id, local_date

)

select * from beds
