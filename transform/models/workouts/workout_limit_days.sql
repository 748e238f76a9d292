-- workout_limit_days: one row per person and date with a workout: what the person's heart could do then.
--
-- grain:    user_id, local_date
-- inputs:   stg_workouts, heart_rate_max_days, resting_heart_rate_days, profile_days, definitions
-- build:    table
-- lookback: 28 days
-- reach:    28 days
-- source:   the resting heart rate of the date, or the last of the 28 days before; zones from 50, 60, 70, 80 and 90 % of the
--           highest heart rate (methods 2.3)
-- audit:    resting_heart_rate_bpm is null or resting_heart_rate_bpm > 0
-- audit:    zone_1_from_bpm is null or zone_1_from_bpm < zone_5_from_bpm
-- audit:    (zone_1_from_bpm is null) = (heart_rate_max_bpm is null)
-- caution:  as uncertain as the highest heart rate, which most people know by their age alone
-- method:   workout_limit_days/1

with

rules as (

    select
        max(case when name = 'heart_rate_zone_1_pct' then value end) as zone_1_pct,
        max(case when name = 'heart_rate_zone_2_pct' then value end) as zone_2_pct,
        max(case when name = 'heart_rate_zone_3_pct' then value end) as zone_3_pct,
        max(case when name = 'heart_rate_zone_4_pct' then value end) as zone_4_pct,
        max(case when name = 'heart_rate_zone_5_pct' then value end) as zone_5_pct,
        cast(max(case when name = 'workout_limits_days' then value end) as integer) as limits_days

    from definitions

),

dates as (

    select distinct
        stg_workouts.user_id,
        stg_workouts.local_date

    from stg_workouts
    inner join dirty_days
        on stg_workouts.user_id = dirty_days.user_id
        and stg_workouts.local_date = dirty_days.local_date

),

rests as (

    select
        dates.user_id,
        dates.local_date,
        resting_heart_rate_days.resting_heart_rate_bpm,
        row_number() over (
            partition by dates.user_id, dates.local_date
            order by resting_heart_rate_days.local_date desc
        ) as place

    from dates
    cross join rules
    inner join resting_heart_rate_days
        on dates.user_id = resting_heart_rate_days.user_id
        and resting_heart_rate_days.local_date <= dates.local_date
        and resting_heart_rate_days.local_date >= dates.local_date - rules.limits_days

),

days as (

    select
        dates.user_id,                  -- person
        dates.local_date,               -- the person's date
        cast(rests.resting_heart_rate_bpm as double)
            as resting_heart_rate_bpm,  -- beats/min
        cast(heart_rate_max_days.heart_rate_max_bpm as double)
            as heart_rate_max_bpm,      -- beats/min
        heart_rate_max_days.heart_rate_max_source, -- age, told or observed
        'max' as zone_system,           -- zones are shares of the highest heart rate
        rules.zone_1_pct * heart_rate_max_days.heart_rate_max_bpm / 100 as zone_1_from_bpm, -- beats/min, lower bound of zone 1
        rules.zone_2_pct * heart_rate_max_days.heart_rate_max_bpm / 100 as zone_2_from_bpm, -- beats/min, lower bound of zone 2
        rules.zone_3_pct * heart_rate_max_days.heart_rate_max_bpm / 100 as zone_3_from_bpm, -- beats/min, lower bound of zone 3
        rules.zone_4_pct * heart_rate_max_days.heart_rate_max_bpm / 100 as zone_4_from_bpm, -- beats/min, lower bound of zone 4
        rules.zone_5_pct * heart_rate_max_days.heart_rate_max_bpm / 100 as zone_5_from_bpm, -- beats/min, lower bound of zone 5
        profile_days.sex,               -- female, male or other, as told
        profile_days.age_years,         -- years that the person turns in the year of the date
        profile_days.body_height_mm,    -- mm
        'workout_limit_days/1'
            as method_version           -- formula of this row

    from dates
    cross join rules
    left join rests
        on dates.user_id = rests.user_id
        and dates.local_date = rests.local_date
        and rests.place = 1
    left join heart_rate_max_days
        on dates.user_id = heart_rate_max_days.user_id
        and dates.local_date = heart_rate_max_days.local_date
    left join profile_days
        on dates.user_id = profile_days.user_id
        and dates.local_date = profile_days.local_date

)

select * from days
