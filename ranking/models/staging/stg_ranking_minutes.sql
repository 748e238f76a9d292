-- stg_ranking_minutes: a person's minutes with steps, from the one device that stands for the minute, with what of them
-- is evidence for rankings.
--
-- grain:    user_id, local_date, minute_number
-- inputs:   stg_steps
-- build:    view
-- caution:  what was counted over more than a minute is shared out by time; minutes without steps have no row

with

minutes as (

    select
        user_id,                -- person
        local_date,             -- the person's date
        minute_number,          -- minutes since 1970-01-01 UTC
        make_timestamptz((minute_number + 1) * 60000000)
            as ended_at,        -- when the last of them was counted, UTC
        utc_offset_min,         -- min east of UTC, as recorded
        step_count - foreign_step_count
            as step_count,      -- steps that the person's own device counted: evidence
        foreign_step_count      -- steps that were imported or written in by hand: no evidence

    from stg_steps

    where step_count > 0

)

select * from minutes
