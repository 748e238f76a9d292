-- stg_reported_hrv: heart-rate variability as sources tell it themselves, whatever they made it from.
--
-- grain:    user_id, local_date, device_id, statistic, recorded_as, measured_at
-- inputs:   daily_summaries, readings, stg_series_samples
-- build:    view

with

all_values as (

    select
        user_id,
        local_date,
        device_id,
        metric,
        'daily' as recorded_as,
        cast(null as timestamp with time zone) as measured_at,
        value

    from daily_summaries

    where metric = 'hrv_rmssd'

    union all

    select
        user_id,
        local_date,
        device_id,
        metric,
        'reading' as recorded_as,
        measured_at,
        value

    from readings

    where metric = 'hrv_sdnn'

    union all

    select
        user_id,
        local_date,
        device_id,
        metric,
        'series' as recorded_as,
        make_timestamptz(measured_us) as measured_at,
        value

    from stg_series_samples

    where metric = 'hrv_rmssd'

),

reported as (

    select
        user_id,        -- person
        local_date,     -- the person's date
        device_id,      -- device or source that told it
        case metric when 'hrv_rmssd' then 'rmssd' else 'sdnn' end
            as statistic,   -- rmssd or sdnn: never to be compared
        recorded_as,    -- daily, reading or series
        measured_at,    -- UTC; null of a daily figure
        value           -- ms

    from all_values

)

select * from reported
