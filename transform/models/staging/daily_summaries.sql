-- daily_summaries: one row per figure for a whole day, from sources that know no more.
--
-- grain:    user_id, device_id, metric, local_date
-- inputs:   silver.daily_summaries
-- build:    view

with

rows_as_recorded as (

    select
        user_id,        -- person
        device_id,      -- device that told it
        metric,         -- name in the metrics table
        local_date,     -- the person's date
        value,          -- in the metric's unit
        source          -- native, import or manual

    from silver.daily_summaries

)

select * from rows_as_recorded
