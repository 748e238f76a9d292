-- stg_vital_minutes: oxygen saturation, breath, skin temperature, stress and noise of a person, minute by minute, from the
-- one device that stands for that minute.
--
-- grain:    user_id, local_date, metric, minute_number
-- inputs:   stg_day_samples
-- build:    view
-- caution:  a sample counts for the minute it starts in, however long its period; the lowest sample is known of oxygen
--           saturation, the highest of noise

with

minutes as (

    select
        user_id,
        local_date,
        'oxygen_saturation' as metric,
        unnest(oxygen_saturation_minutes) as minute_number,
        unnest(oxygen_saturation_sums_permille) as value_sum,
        unnest(oxygen_saturation_mins_permille) as value_min,
        null as value_max,
        unnest(oxygen_saturation_sample_counts) as sample_count,
        unnest(oxygen_saturation_covered_mins) as covered_min

    from stg_day_samples

    union all

    select
        user_id,
        local_date,
        'respiratory_rate' as metric,
        unnest(respiratory_rate_minutes) as minute_number,
        unnest(respiratory_rate_sums_milli_per_min) as value_sum,
        null as value_min,
        null as value_max,
        unnest(respiratory_rate_sample_counts) as sample_count,
        unnest(respiratory_rate_covered_mins) as covered_min

    from stg_day_samples

    union all

    select
        user_id,
        local_date,
        'skin_temperature' as metric,
        unnest(skin_temperature_minutes) as minute_number,
        unnest(skin_temperature_sums_mcel) as value_sum,
        null as value_min,
        null as value_max,
        unnest(skin_temperature_sample_counts) as sample_count,
        unnest(skin_temperature_covered_mins) as covered_min

    from stg_day_samples

    union all

    select
        user_id,
        local_date,
        'stress' as metric,
        unnest(stress_minutes) as minute_number,
        unnest(stress_sums_score) as value_sum,
        null as value_min,
        null as value_max,
        unnest(stress_sample_counts) as sample_count,
        unnest(stress_covered_mins) as covered_min

    from stg_day_samples

    union all

    select
        user_id,
        local_date,
        'noise_level' as metric,
        unnest(noise_level_minutes) as minute_number,
        unnest(noise_level_sums_ddb) as value_sum,
        null as value_min,
        unnest(noise_level_maxs_ddb) as value_max,
        unnest(noise_level_sample_counts) as sample_count,
        unnest(noise_level_covered_mins) as covered_min

    from stg_day_samples

),

vitals as (

    select
        user_id,                -- person
        local_date,             -- the person's date
        metric,                 -- name in the metrics table
        cast(minute_number as bigint)
            as minute_number,   -- minutes since 1970-01-01 UTC
        value_sum,              -- in the metric's unit, sum over the minute's samples
        case when metric = 'oxygen_saturation' then coalesce(value_min, value_sum) end
            as value_min,       -- in the metric's unit, lowest sample of the minute; null but for oxygen saturation
        case when metric = 'noise_level' then coalesce(value_max, value_sum) end
            as value_max,       -- in the metric's unit, highest sample of the minute; null but for noise
        coalesce(sample_count, 1)
            as sample_count,    -- samples in the minute
        coalesce(covered_min, 1)
            as covered_min      -- min that the longest sample speaks for; a spot value speaks for its minute

    from minutes

)

select * from vitals
