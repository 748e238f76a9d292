-- stg_night_sources: whether a date's sleep was told by devices alone, one row per person, date and form of telling.
--
-- grain:    user_id, local_date, night_source
-- inputs:   silver.sleep_segments, silver.daily_summaries
-- build:    view
-- caution:  of a night in segments, those that ended on its date decide

with

tellings as (

    select
        user_id,
        local_date,
        'segments' as night_source,
        source

    from silver.sleep_segments

    union all

    select
        user_id,
        local_date,
        'summary' as night_source,
        source

    from silver.daily_summaries

    where metric in ('total_sleep_time', 'time_in_bed', 'sleep_record_count')

),

sources as (

    select
        user_id,        -- person
        local_date,     -- the person's date of waking
        night_source,   -- segments or summary, as in sleep_nights
        min(source) = 'native' and max(source) = 'native'
            as is_native    -- no import and no manual entry among them

    from tellings

    group by user_id, local_date, night_source

)

select * from sources
