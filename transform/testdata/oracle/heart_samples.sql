-- heart_samples: one row per heart rate that can be true, all devices, with the minute it starts in.
--
-- grain:    user_id, local_date, device_id, minute_number, bpm
-- inputs:   stg_heart_rate_hours
-- build:    view

with

hours as (

    select
        *,
        epoch_us(hour_at) // 1000 as hour_ms,
        unnest(rates_bpm) as bpm,
        generate_subscripts(rates_bpm, 1) as place

    from stg_heart_rate_hours

),

samples as (

    select
        user_id,
        local_date,
        device_id,
        source,
        bpm,
        (hour_ms + case when is_regular then offsets_ms[1] + (place - 1) * period_ms else offsets_ms[place] end) // 60000
            as minute_number

    from hours

)

select * from samples
