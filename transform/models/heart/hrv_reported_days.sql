-- hrv_reported_days: one row per person, date, source and statistic of the heart-rate variability that a source told itself.
--
-- grain:    user_id, local_date, device_id, statistic, recorded_as
-- inputs:   stg_reported_hrv
-- build:    view
-- caution:  a source's figures rest on its own methods: they are kept apart from hrv_nights and from each other, and a figure
--           of one statistic is never compared with one of the other

with

days as (

    select
        user_id,        -- person
        local_date,     -- the person's date; of a nightly figure as the source dates it
        device_id,      -- device or source that told it
        statistic,      -- rmssd or sdnn
        recorded_as,    -- daily, reading or series
        median(value)
            as reported_hrv_ms, -- ms, median of the values of the date
        cast(count(*) as integer)
            as value_count      -- values of the date

    from stg_reported_hrv

    group by user_id, local_date, device_id, statistic, recorded_as

)

select * from days
