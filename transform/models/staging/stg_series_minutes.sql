-- stg_series_minutes: what else is measured by the minute, from the one device that stands for that minute: distance,
-- floors, energy, oxygen saturation, breath, skin temperature, stress, noise.
--
-- grain:    user_id, local_date, metric, minute_number
-- inputs:   stg_minutes
-- build:    view
-- caution:  a sample counts for the minute it starts in, however long its period

with

all_minutes as (

    select
        user_id,
        local_date,
        'distance' as metric,
        minute_number,
        cast(null as integer) as value_min,
        distance_cm as value_sum,
        cast(null as integer) as value_max,
        cast(null as integer) as covered_min,
        cast(null as integer) as sample_count

    from stg_minutes

    where distance_cm is not null

    union all

    select
        user_id,
        local_date,
        'floors' as metric,
        minute_number,
        cast(null as integer) as value_min,
        floor_count as value_sum,
        cast(null as integer) as value_max,
        cast(null as integer) as covered_min,
        cast(null as integer) as sample_count

    from stg_minutes

    where floor_count is not null

    union all

    select
        user_id,
        local_date,
        'active_energy' as metric,
        minute_number,
        cast(null as integer) as value_min,
        active_energy_cal as value_sum,
        cast(null as integer) as value_max,
        cast(null as integer) as covered_min,
        cast(null as integer) as sample_count

    from stg_minutes

    where active_energy_cal is not null

    union all

    select
        user_id,
        local_date,
        'oxygen_saturation' as metric,
        minute_number,
        oxygen_saturation_min_permille as value_min,
        oxygen_saturation_sum_permille as value_sum,
        cast(null as integer) as value_max,
        oxygen_saturation_covered_min as covered_min,
        oxygen_saturation_sample_count as sample_count

    from stg_minutes

    where oxygen_saturation_sum_permille is not null

    union all

    select
        user_id,
        local_date,
        'respiratory_rate' as metric,
        minute_number,
        cast(null as integer) as value_min,
        respiratory_rate_sum_milli_per_min as value_sum,
        cast(null as integer) as value_max,
        respiratory_rate_covered_min as covered_min,
        respiratory_rate_sample_count as sample_count

    from stg_minutes

    where respiratory_rate_sum_milli_per_min is not null

    union all

    select
        user_id,
        local_date,
        'skin_temperature' as metric,
        minute_number,
        cast(null as integer) as value_min,
        skin_temperature_sum_mcel as value_sum,
        cast(null as integer) as value_max,
        skin_temperature_covered_min as covered_min,
        skin_temperature_sample_count as sample_count

    from stg_minutes

    where skin_temperature_sum_mcel is not null

    union all

    select
        user_id,
        local_date,
        'stress' as metric,
        minute_number,
        cast(null as integer) as value_min,
        stress_sum_score as value_sum,
        cast(null as integer) as value_max,
        stress_covered_min as covered_min,
        stress_sample_count as sample_count

    from stg_minutes

    where stress_sum_score is not null

    union all

    select
        user_id,
        local_date,
        'noise_level' as metric,
        minute_number,
        cast(null as integer) as value_min,
        noise_level_sum_ddb as value_sum,
        noise_level_max_ddb as value_max,
        noise_level_covered_min as covered_min,
        noise_level_sample_count as sample_count

    from stg_minutes

    where noise_level_sum_ddb is not null

),

minutes as (

    select
        user_id,                -- person
        local_date,             -- the person's date
        metric,                 -- name in the metrics table
        cast(minute_number as bigint)
            as minute_number,   -- minutes since 1970-01-01 UTC
        value_min,              -- in the metric's unit, lowest sample of the minute; of oxygen saturation alone
        cast(value_sum as bigint)
            as value_sum,       -- in the metric's unit, sum over the minute's samples
        value_max,              -- in the metric's unit, highest sample of the minute; of noise alone
        cast(covered_min as bigint)
            as covered_min,     -- min that the longest of its samples speaks for; null of distance, floors and energy
        cast(sample_count as bigint)
            as sample_count     -- samples in the minute; null of distance, floors and energy

    from all_minutes

)

select * from minutes
