-- stg_ranking_minutes: a person's minutes with steps, from the one device that stands for the minute, with what of them
-- is evidence for rankings.
--
-- grain:    user_id, local_date, minute_number
-- inputs:   stg_minutes
-- build:    view
-- caution:  a sample longer than a minute is one row that starts at its first minute; minutes without steps have no row

with

minutes as (

    select
        user_id,                -- person
        local_date,             -- the person's date
        cast(minute_number as bigint)
            as minute_number,   -- minutes since 1970-01-01 UTC, of the first minute
        cast(step_covered_min as bigint)
            as covered_min,     -- min that the steps were counted over
        make_timestamptz((cast(minute_number as bigint) + step_covered_min) * 60000000)
            as ended_at,        -- when the last of them was counted, UTC
        step_utc_offset_min
            as utc_offset_min,  -- min east of UTC, as recorded
        cast(step_count - foreign_step_count as bigint)
            as step_count,      -- steps that the person's own device counted: evidence
        cast(foreign_step_count as bigint)
            as foreign_step_count   -- steps that were imported or written in by hand: no evidence

    from stg_minutes

    where step_count > 0

)

select * from minutes
