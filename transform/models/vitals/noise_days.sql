-- noise_days: one row per person and local date with a sound level measured around the wearer.
--
-- grain:    user_id, local_date
-- inputs:   stg_vital_minutes
-- build:    table
-- source:   equivalent continuous level: the level of the mean sound energy of the minutes (IEC 61672)
-- audit:    noise_level_equivalent_db <= noise_level_max_db + 0.001
-- audit:    measured_min >= 1
-- caution:  a wrist under a sleeve hears less; levels are as weighted by the device. Of a minute the loudest sample and the
--           sum of all are known, so that the others are taken to be alike: where several of them are loud among quiet ones
--           the level is higher than is told here
-- method:   noise_days/1

with

-- Energies are whole millionths of that at 0 dB, so that their sum does not depend on the order. That of a minute is the
-- mean of its loudest sample and of the others, each of the level that they have on the mean.
minutes as (

    select
        stg_vital_minutes.user_id,
        stg_vital_minutes.local_date,
        stg_vital_minutes.value_max as noise_level_max_ddb,
        stg_vital_minutes.covered_min,
        cast(round((
            power(10, cast(stg_vital_minutes.value_max as double) / 100 + 6)
            + (stg_vital_minutes.sample_count - 1) * power(10,
                cast(stg_vital_minutes.value_sum - stg_vital_minutes.value_max as double)
                / greatest(stg_vital_minutes.sample_count - 1, 1) / 100 + 6)
        ) / stg_vital_minutes.sample_count) as decimal(38, 0)) as energy

    from stg_vital_minutes
    inner join dirty_days
        on stg_vital_minutes.user_id = dirty_days.user_id
        and stg_vital_minutes.local_date = dirty_days.local_date

    where stg_vital_minutes.metric = 'noise_level'

),

days as (

    select
        user_id,                    -- person
        local_date,                 -- the person's date
        cast(sum(covered_min) as integer)
            as measured_min,        -- min measured
        10 * log10(cast(sum(energy * covered_min) as double) / cast(sum(covered_min) as double)) - 60
            as noise_level_equivalent_db,   -- dB, level of the mean energy
        cast(max(noise_level_max_ddb) as double) / 10
            as noise_level_max_db,  -- dB, the loudest sample
        'noise_days/1'
            as method_version       -- formula of this row

    from minutes

    group by user_id, local_date

)

select * from days
