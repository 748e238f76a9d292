-- sleep_needs: one row per person and night: how much sleep people of that age need, or the person wants.
--
-- grain:    user_id, night_date
-- inputs:   sleep_nights, profile_days, definitions
-- build:    view
-- source:   the person's own goal, else the middle of the range that the National Sleep Foundation recommends for the age
--           (Hirshkowitz 2015, methods 1.8); of an age that is not known the range of adults
-- caution:  no validated formula for a person's need exists; a range is not a measurement

with

ranges as (

    select
        max(case when name = 'sleep_need_low_min_6_13' then value end) as low_6_13,
        max(case when name = 'sleep_need_high_min_6_13' then value end) as high_6_13,
        max(case when name = 'sleep_need_low_min_14_17' then value end) as low_14_17,
        max(case when name = 'sleep_need_high_min_14_17' then value end) as high_14_17,
        max(case when name = 'sleep_need_low_min_18_64' then value end) as low_18_64,
        max(case when name = 'sleep_need_high_min_18_64' then value end) as high_18_64,
        max(case when name = 'sleep_need_low_min_65' then value end) as low_65,
        max(case when name = 'sleep_need_high_min_65' then value end) as high_65

    from definitions

),

people as (

    select
        sleep_nights.user_id,
        sleep_nights.night_date,
        profile_days.age_years,
        profile_days.sleep_goal_min,
        case
            when profile_days.age_years < 6 then null
            when profile_days.age_years < 14 then ranges.low_6_13
            when profile_days.age_years < 18 then ranges.low_14_17
            when profile_days.age_years >= 65 then ranges.low_65
            else ranges.low_18_64
        end as low_min,
        case
            when profile_days.age_years < 6 then null
            when profile_days.age_years < 14 then ranges.high_6_13
            when profile_days.age_years < 18 then ranges.high_14_17
            when profile_days.age_years >= 65 then ranges.high_65
            else ranges.high_18_64
        end as high_min

    from sleep_nights
    cross join ranges
    left join profile_days
        on sleep_nights.user_id = profile_days.user_id
        and sleep_nights.night_date = profile_days.local_date

),

needs as (

    select
        user_id,            -- person
        night_date,         -- the person's date of waking
        age_years,          -- years; null = not known
        cast(low_min as integer)
            as recommended_low_min,     -- min, lower end of the range for the age; null under 6 years
        cast(high_min as integer)
            as recommended_high_min,    -- min, upper end of the range for the age; null under 6 years
        coalesce(cast(sleep_goal_min as double), (low_min + high_min) / 2)
            as sleep_need_min,          -- min in 24 h
        case
            when sleep_goal_min is not null then 'goal'
            when low_min is null then null
            when age_years is not null then 'age'
            else 'adult'
        end
            as sleep_need_source        -- goal, age, or adult when the age is not known

    from people

)

select * from needs
