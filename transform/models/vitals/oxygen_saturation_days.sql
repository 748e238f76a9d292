-- oxygen_saturation_days: one row per person and local date with an oxygen saturation measured when asked for.
--
-- grain:    user_id, local_date
-- inputs:   readings, definitions
-- build:    table
-- source:   spot readings stand apart from the night's (product rule V1); below 70 % a reading is discarded (methods 4.1)
-- audit:    reading_count >= 1
-- audit:    oxygen_saturation_min_pct <= oxygen_saturation_mean_pct
-- caution:  one reading on a moving or cold wrist says little; never put them on one chart with the nights
-- method:   oxygen_saturation_days/1

with

lowest as (

    select value as permille

    from definitions

    where name = 'oxygen_saturation_min_permille'

),

spots as (

    select
        readings.user_id,
        readings.local_date,
        readings.value

    from readings
    inner join dirty_days
        on readings.user_id = dirty_days.user_id
        and readings.local_date = dirty_days.local_date
    cross join lowest

    where
        readings.metric = 'oxygen_saturation'
        and readings.value >= lowest.permille

),

days as (

    select
        user_id,            -- person
        local_date,         -- the person's date
        cast(count(*) as integer)
            as reading_count,               -- readings of the date
        cast(sum(value) as double) / count(*) / 10
            as oxygen_saturation_mean_pct,  -- %, their mean
        cast(min(value) as double) / 10
            as oxygen_saturation_min_pct,   -- %, the lowest of them
        'oxygen_saturation_days/1'
            as method_version               -- formula of this row

    from spots

    group by user_id, local_date

)

select * from days
