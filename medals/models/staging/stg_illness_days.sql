-- stg_illness_days: the dates that a person tagged as ill.
--
-- grain:    user_id, local_date
-- inputs:   silver.events, definitions
-- build:    view
-- caution:  a tag without an end speaks of its own date; one tag speaks of at most medal_illness_tag_days

with

tags as (

    select
        user_id,
        local_date as first_date,
        greatest(
            local_date,
            coalesce(
                cast(make_timestamp(epoch_us(end_at) - 1 + cast(utc_offset_min as bigint) * 60000000) as date),
                local_date
            )
        ) as last_date

    from silver.events

    where
        kind = 'tag'
        and lower(name) in ('ill', 'illness', 'sick')
        and coalesce(value, 1) <> 0 -- 0 takes a tag back

),

tag_length as (

    select cast(value as integer) as days

    from definitions

    where name = 'medal_illness_tag_days'

),

tagged_dates as (

    select
        tags.user_id,
        unnest(
            generate_series(
                cast(tags.first_date as timestamp),
                cast(least(tags.last_date, tags.first_date + tag_length.days - 1) as timestamp),
                interval 1 day
            )
        ) as tagged_at

    from tags
    cross join tag_length

),

illness_days as (

    select distinct
        user_id,            -- person
        cast(tagged_at as date)
            as local_date   -- a date the person says to have been ill

    from tagged_dates

)

select * from illness_days
