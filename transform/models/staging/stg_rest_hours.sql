-- stg_rest_hours: heart rate and motion of a person's hours, from the lists of samples and without looking at each.
--
-- grain:    user_id, local_date, hour_at, utc_offset_min
-- inputs:   stg_rest_series
-- build:    view
-- caution:  counts samples and their period, not the gaps between them

with

hours as (

    select
        user_id,                    -- person
        local_date,                 -- the person's date
        hour_at,                    -- start of the hour, UTC
        utc_offset_min,             -- min east of UTC, as recorded
        cast((epoch_us(hour_at) // 60000000 + utc_offset_min) % 1440 as integer)
            as local_minute,        -- minute of the person's day at the start
        cast(least(60, sum(case when metric = 'heart_rate' then len(sample_values) * greatest(period_ms, 5000) end) // 60000)
            as integer)
            as measured_min,        -- min covered by heart rates
        cast(sum(case when metric = 'heart_rate' then list_sum(sample_values) end) as double)
        / sum(case when metric = 'heart_rate' then len(sample_values) end)
            as heart_rate_mean_bpm, -- beats/min, mean of the samples
        min(case when metric = 'heart_rate' then list_min(sample_values) end)
            as heart_rate_min_bpm,  -- beats/min, lowest sample
        cast(sum(case when metric = 'motion_count' then list_sum(sample_values) end) as bigint)
            as motion_count_sum,    -- counts, sum over the epochs; null = not measured
        cast(sum(case when metric = 'motion_count' then len(sample_values) end) as bigint)
            as motion_epoch_count,  -- epochs with a motion count
        max(case when metric = 'motion_count' then list_sort(sample_values)[(len(sample_values) + 1) // 2] end)
            as motion_count_median  -- counts per 30 s, median of the epochs

    from stg_rest_series

    group by user_id, local_date, hour_at, utc_offset_min

    having sum(case when metric = 'heart_rate' then len(sample_values) end) > 0

)

select * from hours
