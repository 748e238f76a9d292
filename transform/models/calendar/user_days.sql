-- user_days: one row per person and calendar date from the person's first evidence to the last, holes included.
--
-- grain:    user_id, local_date
-- inputs:   activity_days, heart_rate_days, sleep_nights, time_in_bed_days, wear_days, definitions
-- build:    table
-- lookback: person
-- daily:    time_in_bed_days, wear_days
-- reach:    holes of activity_days, heart_rate_days, sleep_nights
-- source:   product rules: a valid day is worn 10 h awake, a valid night has 4 h in bed
-- audit:    has_steps or has_heart_rate or not is_valid_day
-- audit:    has_sleep or not is_valid_night
-- caution:  how much of the heart rate was measured in bed is not known here: all of the date's time in bed is taken off,
--           also what was not worn, and a night known by its sum whole. A day that looks too short by that is valid all the
--           same when motion, which sleep does not have, says so
-- method:   user_days/1

with

valid_day as (

    select value as worn_awake_min

    from definitions

    where name = 'valid_day_worn_min'

),

valid_night as (

    select value as in_bed_min

    from definitions

    where name = 'valid_night_in_bed_min'

),

-- What there is of each date; of a hole, nothing.
evidence as (

    select
        dirty_days.user_id,
        dirty_days.local_date,
        activity_days.user_id is not null as has_steps,
        heart_rate_days.user_id is not null as has_heart_rate,
        sleep_nights.user_id is not null as has_sleep,
        sleep_nights.time_in_bed_min as night_in_bed_min,
        time_in_bed_days.time_in_bed_min as date_in_bed_min,
        wear_days.worn_min,
        wear_days.wear_source,
        wear_days.motion_min

    from dirty_days
    left join (
        select activity_days.*
        from activity_days
        semi join dirty_days
            on activity_days.user_id = dirty_days.user_id
            and activity_days.local_date = dirty_days.local_date
    ) as activity_days
        on dirty_days.user_id = activity_days.user_id
        and dirty_days.local_date = activity_days.local_date
    left join (
        select heart_rate_days.*
        from heart_rate_days
        semi join dirty_days
            on heart_rate_days.user_id = dirty_days.user_id
            and heart_rate_days.local_date = dirty_days.local_date
    ) as heart_rate_days
        on dirty_days.user_id = heart_rate_days.user_id
        and dirty_days.local_date = heart_rate_days.local_date
    left join (
        select sleep_nights.*
        from sleep_nights
        semi join dirty_days
            on sleep_nights.user_id = dirty_days.user_id
            and sleep_nights.night_date = dirty_days.local_date
    ) as sleep_nights
        on dirty_days.user_id = sleep_nights.user_id
        and dirty_days.local_date = sleep_nights.night_date
    left join time_in_bed_days
        on dirty_days.user_id = time_in_bed_days.user_id
        and dirty_days.local_date = time_in_bed_days.local_date
    left join wear_days
        on dirty_days.user_id = wear_days.user_id
        and dirty_days.local_date = wear_days.local_date

),

people_with_holes as (

    select distinct user_id

    from evidence

    where not has_steps and not has_heart_rate and not has_sleep

),

dates_with_evidence as (

    select
        activity_days.user_id,
        activity_days.local_date

    from activity_days
    inner join people_with_holes
        on activity_days.user_id = people_with_holes.user_id

    union all

    select
        heart_rate_days.user_id,
        heart_rate_days.local_date

    from heart_rate_days
    inner join people_with_holes
        on heart_rate_days.user_id = people_with_holes.user_id

    union all

    select
        sleep_nights.user_id,
        sleep_nights.night_date as local_date

    from sleep_nights
    inner join people_with_holes
        on sleep_nights.user_id = people_with_holes.user_id

),

lifetimes as (

    select
        user_id,
        min(local_date) as first_date,
        max(local_date) as last_date

    from dates_with_evidence

    group by user_id

),

days as (

    select
        evidence.user_id,           -- person
        evidence.local_date,        -- the person's date
        evidence.has_steps,         -- there is a step sample
        evidence.has_heart_rate,    -- there is a heart-rate sample
        evidence.has_sleep,         -- a night ended on this date
        evidence.worn_min,          -- min worn; null when nothing was measured
        evidence.wear_source,       -- heart_rate or motion: what says so
        coalesce(
            evidence.wear_source = 'heart_rate'
            and evidence.worn_min - coalesce(evidence.date_in_bed_min, 0) >= valid_day.worn_awake_min,
            false
        )
        or coalesce(evidence.motion_min >= valid_day.worn_awake_min, false)
            as is_valid_day,        -- worn at least valid_day_worn_min awake
        coalesce(evidence.night_in_bed_min >= valid_night.in_bed_min, false)
            as is_valid_night,      -- at least valid_night_in_bed_min in bed
        'user_days/1'
            as method_version       -- formula of this row

    from evidence
    left join lifetimes
        on evidence.user_id = lifetimes.user_id
    cross join valid_day
    cross join valid_night

    where
        evidence.has_steps
        or evidence.has_heart_rate
        or evidence.has_sleep
        or evidence.local_date between lifetimes.first_date and lifetimes.last_date

)

select * from days
