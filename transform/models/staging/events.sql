-- events: one row per event: profile, goal, consent, worn, tag.
--
-- grain:    user_id, device_id, kind, name, start_at
-- inputs:   silver.events
-- build:    view

with

rows_as_recorded as (

    select
        user_id,            -- person
        device_id,          -- device or app that told it
        kind,               -- profile, goal, consent, worn ...
        name,               -- what of the kind
        start_at,           -- since when, UTC
        end_at,             -- until when, UTC; null = no end known
        utc_offset_min,     -- min east of UTC, as recorded
        local_date,         -- the person's date at the start
        value,              -- the event's number, when it has one
        text,               -- the event's text, when it has one
        source              -- native, import or manual

    from silver.events

)

select * from rows_as_recorded
