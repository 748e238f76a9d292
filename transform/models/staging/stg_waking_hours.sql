-- stg_waking_hours: the heart rate of the hours in which a person was out of bed throughout, one row per recorded hour.
--
-- grain:    user_id, local_date, device_id, hour_at, utc_offset_min, period_ms, source
-- inputs:   stg_heart_rate_hours, sleep_episodes
-- build:    view
-- caution:  an hour in which a sleep or a nap begins or ends is left out whole

with

-- The dates an episode may touch, one by one.
dates_of_episodes as (

    select
        user_id,
        night_date + cast(unnest([-2, -1, 0, 1, 2]) as integer) as local_date,
        epoch_us(started_at) // 1000 as start_ms,
        epoch_us(ended_at) // 1000 as end_ms

    from sleep_episodes

),

hours as (

    select
        user_id,
        local_date,
        device_id,
        hour_at,
        utc_offset_min,
        period_ms,
        source,
        epoch_us(hour_at) // 1000 as hour_ms,
        cast(list_sum(rates_bpm) as bigint) as rate_sum_bpm,
        len(rates_bpm) as sample_count,
        case
            when is_regular and period_ms <= 60000
                then (offsets_ms[1] + (len(rates_bpm) - 1) * period_ms) // 60000 - offsets_ms[1] // 60000 + 1
            when is_regular then len(rates_bpm)
            else len(list_distinct(list_transform(offsets_ms, lambda o: o // 60000)))
        end as measured_min

    from stg_heart_rate_hours

    where len(rates_bpm) > 0

),

hours_awake as (

    select
        hours.user_id,          -- person
        hours.local_date,       -- the person's date
        hours.device_id,        -- device that measured it
        hours.hour_at,          -- the UTC hour
        hours.utc_offset_min,   -- min east of UTC, as recorded
        hours.period_ms,        -- ms that a sample covers from its start; 0 = spot values
        hours.source,           -- native, import or manual
        hours.rate_sum_bpm,     -- beats/min, sum over the valid samples
        hours.sample_count,     -- valid samples
        hours.measured_min      -- min in which one starts

    from hours
    left join dates_of_episodes
        on hours.user_id = dates_of_episodes.user_id
        and hours.local_date = dates_of_episodes.local_date
        and hours.hour_ms < dates_of_episodes.end_ms
        and hours.hour_ms + 3600000 > dates_of_episodes.start_ms

    where dates_of_episodes.user_id is null

)

select * from hours_awake
