-- stg_vital_minutes: oxygen saturation, breath, skin temperature, stress and noise of a person, minute by minute, from the
-- one device that stands for that minute.
--
-- grain:    user_id, local_date, metric, minute_number
-- inputs:   stg_day_samples
-- build:    view
-- caution:  a sample counts for the minute it starts in, however long its period; the lowest sample is known of oxygen
--           saturation, the highest of noise

with

lists as (

    select
        user_id,
        local_date,
        'oxygen_saturation' as metric,
        oxygen_saturation_minutes as minutes,
        oxygen_saturation_sums_permille as value_sums,
        oxygen_saturation_mins_permille as value_mins,
        null as value_maxs,
        oxygen_saturation_sample_counts as sample_counts,
        oxygen_saturation_covered_mins as covered_mins

    from stg_day_samples

    union all

    select
        user_id,
        local_date,
        'respiratory_rate' as metric,
        respiratory_rate_minutes as minutes,
        respiratory_rate_sums_milli_per_min as value_sums,
        null as value_mins,
        null as value_maxs,
        respiratory_rate_sample_counts as sample_counts,
        respiratory_rate_covered_mins as covered_mins

    from stg_day_samples

    union all

    select
        user_id,
        local_date,
        'skin_temperature' as metric,
        skin_temperature_minutes as minutes,
        skin_temperature_sums_mcel as value_sums,
        null as value_mins,
        null as value_maxs,
        skin_temperature_sample_counts as sample_counts,
        skin_temperature_covered_mins as covered_mins

    from stg_day_samples

    union all

    select
        user_id,
        local_date,
        'stress' as metric,
        stress_minutes as minutes,
        stress_sums_score as value_sums,
        null as value_mins,
        null as value_maxs,
        stress_sample_counts as sample_counts,
        stress_covered_mins as covered_mins

    from stg_day_samples

    union all

    select
        user_id,
        local_date,
        'noise_level' as metric,
        noise_level_minutes as minutes,
        noise_level_sums_ddb as value_sums,
        null as value_mins,
        noise_level_maxs_ddb as value_maxs,
        noise_level_sample_counts as sample_counts,
        noise_level_covered_mins as covered_mins

    from stg_day_samples

),

-- A negative number stands for so many minutes more, one after the other.
minutes as (

    select
        user_id,
        local_date,
        metric,
        unnest(flatten(list_transform(
            range(1, len(minutes) + 1),
            lambda i: case
                when minutes[i] >= 0 then [minutes[i]]
                else range(minutes[i - 1] + 1, minutes[i - 1] + 1 - minutes[i])
            end
        ))) as minute_number,
        unnest(value_sums) as value_sum,
        unnest(value_mins) as value_min,
        unnest(value_maxs) as value_max,
        unnest(sample_counts) as sample_count,
        unnest(covered_mins) as covered_min

    from lists

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
