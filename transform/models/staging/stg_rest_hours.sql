-- stg_rest_hours: heart rate and motion of a person's hours, of the device that tells rest from unrest.
--
-- grain:    user_id, local_date, hour_at, utc_offset_min
-- inputs:   stg_day_samples
-- build:    view
-- caution:  counts samples and their period, not the gaps between them

with

figures as (

    select
        user_id,
        local_date,
        unnest(rest_first_slots) as first_slot,
        unnest(rest_utc_offsets_min) as utc_offset_min,
        unnest(rest_measured_mins) as measured_min,
        unnest(rest_heart_rate_sums_bpm) as heart_rate_sum_bpm,
        unnest(rest_heart_rate_counts) as heart_rate_count,
        unnest(rest_heart_rate_mins_bpm) as heart_rate_min_bpm,
        unnest(rest_motion_sums) as motion_sum,
        unnest(rest_motion_epoch_counts) as motion_epoch_count,
        unnest(rest_motion_medians) as motion_median

    from stg_day_samples

),

hours as (

    select
        user_id,                    -- person
        local_date,                 -- the person's date
        make_timestamptz(cast(first_slot as bigint) * 300000000)
            as hour_at,             -- start of the hour, UTC
        utc_offset_min,             -- min east of UTC, as recorded
        (first_slot * 5 + utc_offset_min) % 1440
            as local_minute,        -- minute of the person's day at the start
        measured_min,               -- min covered by heart rates
        cast(heart_rate_sum_bpm as double) / heart_rate_count
            as heart_rate_mean_bpm, -- beats/min, mean of the samples
        heart_rate_min_bpm,         -- beats/min, lowest sample
        case when motion_epoch_count > 0 then cast(motion_sum as bigint) end
            as motion_count_sum,    -- counts, sum over the epochs; null = not measured
        case when motion_epoch_count > 0 then cast(motion_epoch_count as bigint) end
            as motion_epoch_count,  -- epochs with a motion count; null = not measured
        case when motion_epoch_count > 0 then motion_median end
            as motion_count_median  -- counts per 30 s, median of the epochs

    from figures

)

select * from hours
