-- stg_tags: the words a person put on a date or longer: ill, travel, alcohol ...
--
-- grain:    user_id, local_date, tag
-- inputs:   silver.events
-- build:    view
-- caution:  a tag without an end speaks of its own date, one with an end of at most 31; a tag is the person's own word and
--           no finding

with

told as (

    select
        user_id,
        lower(name) as tag,
        local_date as first_date,
        least(
            greatest(
                coalesce(
                    cast(make_timestamp(epoch_us(end_at) - 1 + cast(utc_offset_min as bigint) * 60000000) as date),
                    local_date
                ),
                local_date
            ),
            local_date + 30
        ) as last_date,
        value

    from silver.events

    where
        kind = 'tag'
        and name <> ''
        and coalesce(value, 1) <> 0

),

touched_dates as (

    select
        user_id,
        tag,
        value,
        cast(unnest(generate_series(cast(first_date as timestamp), cast(last_date as timestamp), interval 1 day)) as date)
            as local_date

    from told

),

tag_days as (

    select
        user_id,            -- person
        local_date,         -- the person's date
        tag,                -- the tag's name, in small letters
        max(value)
            as value        -- the tag's number, the highest of the date; null when it has none

    from touched_dates

    group by user_id, local_date, tag

)

select * from tag_days
