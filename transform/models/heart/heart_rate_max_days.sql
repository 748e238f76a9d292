-- heart_rate_max_days: one row per person and date for which a highest heart rate can be told.
--
-- grain:    user_id, local_date
-- inputs:   profile_days, definitions
-- build:    table
-- source:   208 - 0.7 x age (Tanaka 2001), or what the person told (methods 2.3)
-- audit:    heart_rate_max_bpm between 100 and 230
-- caution:  by age it is off by 10 to 12 beats/min for one person in three
-- method:   heart_rate_max_days/1

with

rules as (

    select
        max(case when name = 'heart_rate_max_intercept_bpm' then value end) as intercept_bpm,
        max(case when name = 'heart_rate_max_slope_bpm_per_year' then value end) as slope_bpm_per_year

    from definitions

),

days as (

    select
        profile_days.user_id,           -- person
        profile_days.local_date,        -- the person's date
        coalesce(
            cast(profile_days.heart_rate_max_bpm as double),
            rules.intercept_bpm - rules.slope_bpm_per_year * profile_days.age_years
        ) as heart_rate_max_bpm,        -- beats/min, the person's highest heart rate as of the date
        case when profile_days.heart_rate_max_bpm is not null then 'told' else 'age' end
            as heart_rate_max_source,   -- age (208 - 0.7 x age), or told by the person
        'heart_rate_max_days/1'
            as method_version           -- formula of this row

    from profile_days
    inner join dirty_days
        on profile_days.user_id = dirty_days.user_id
        and profile_days.local_date = dirty_days.local_date
    cross join rules

    where coalesce(profile_days.heart_rate_max_bpm, profile_days.age_years) is not null

)

select * from days
