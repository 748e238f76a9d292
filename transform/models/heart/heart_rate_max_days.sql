-- heart_rate_max_days: one row per person and date for which a highest heart rate can be told: what zones are made of.
--
-- grain:    user_id, local_date
-- inputs:   profile_days, heart_rate_peak_days, definitions
-- build:    table
-- lookback: person
-- reach:    forward
-- source:   208 - 0.7 x age (Tanaka 2001), or what the person told; a higher rate that was reached for a minute in
--           workouts of two dates of the last 12 months stands above both (methods 2.3)
-- audit:    heart_rate_max_bpm between 100 and 230
-- audit:    heart_rate_max_source in ('age', 'told', 'observed')
-- caution:  by age it is off by 10 to 12 beats/min for one person in three; without recorded workouts nothing higher is
--           observed
-- method:   heart_rate_max_days/1

with

rules as (

    select
        max(case when name = 'heart_rate_max_intercept_bpm' then value end) as intercept_bpm,
        max(case when name = 'heart_rate_max_slope_bpm_per_year' then value end) as slope_bpm_per_year,
        max(case when name = 'heart_rate_max_low_bpm' then value end) as low_bpm,
        max(case when name = 'heart_rate_highest_bpm' then value end) as high_bpm,
        cast(max(case when name = 'heart_rate_max_days' then value end) as integer) as observed_days

    from definitions

),

-- What is told and cannot be is as good as not told.
profiles as (

    select
        profile_days.user_id,
        profile_days.local_date,
        case
            when profile_days.heart_rate_max_bpm between rules.low_bpm and rules.high_bpm
                then cast(profile_days.heart_rate_max_bpm as double)
        end as told_bpm,
        rules.intercept_bpm - rules.slope_bpm_per_year * profile_days.age_years as by_age_bpm,
        rules.observed_days

    from profile_days
    inner join dirty_days
        on profile_days.user_id = dirty_days.user_id
        and profile_days.local_date = dirty_days.local_date
    cross join rules

),

expected as (

    select
        user_id,
        local_date,
        coalesce(told_bpm, by_age_bpm) as expected_bpm,
        case when told_bpm is not null then 'told' else 'age' end as expected_source,
        observed_days

    from profiles

    where coalesce(told_bpm, by_age_bpm) is not null

),

lowest_expected as (

    select
        user_id,
        min(expected_bpm) as expected_bpm

    from expected

    group by user_id

),

-- Few dates go beyond what was expected.
high_dates as (

    select
        heart_rate_peak_days.user_id,
        heart_rate_peak_days.local_date,
        heart_rate_peak_days.heart_rate_peak_bpm

    from heart_rate_peak_days
    inner join lowest_expected
        on heart_rate_peak_days.user_id = lowest_expected.user_id
        and heart_rate_peak_days.heart_rate_peak_bpm > lowest_expected.expected_bpm

),

ranked_dates as (

    select
        expected.user_id,
        expected.local_date,
        high_dates.heart_rate_peak_bpm,
        row_number() over (
            partition by expected.user_id, expected.local_date
            order by high_dates.heart_rate_peak_bpm desc, high_dates.local_date
        ) as place

    from expected
    inner join high_dates
        on expected.user_id = high_dates.user_id
        and high_dates.local_date <= expected.local_date
        and high_dates.local_date > expected.local_date - expected.observed_days
        and high_dates.heart_rate_peak_bpm > expected.expected_bpm

),

days as (

    select
        expected.user_id,           -- person
        expected.local_date,        -- the person's date
        coalesce(confirmed.heart_rate_peak_bpm, expected.expected_bpm)
            as heart_rate_max_bpm,  -- beats/min, the person's highest heart rate as of the date
        case when confirmed.user_id is not null then 'observed' else expected.expected_source end
            as heart_rate_max_source, -- age (208 - 0.7 x age), told by the person, or observed in workouts of two dates
        'heart_rate_max_days/1'
            as method_version       -- formula of this row

    from expected
    left join ranked_dates as confirmed
        on expected.user_id = confirmed.user_id
        and expected.local_date = confirmed.local_date
        and confirmed.place = 2

)

select * from days
