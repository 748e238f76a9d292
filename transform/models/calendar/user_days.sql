-- user_days: one row per person and calendar date from the person's first evidence to the last, holes included.
--
-- grain:    user_id, local_date
-- inputs:   activity_days, heart_rate_days, sleep_nights, wear_days, calendar_dates, definitions
-- build:    table
-- lookback: person
-- reach:    person
-- source:   product rules: a valid day is worn 10 h awake, a valid night has 4 h in bed
-- audit:    has_steps or has_heart_rate or not is_valid_day
-- audit:    has_sleep or not is_valid_night
-- caution:  how much of the heart rate was measured in bed is not known here: all of the night's time in bed is taken off,
--           also what lay before midnight or was not worn. A day that looks too short by that is valid all the same when
--           motion, which sleep does not have, says so
-- method:   user_days/1

with

people as (

    select distinct user_id

    from dirty_days

),

evidence as (

    select
        activity_days.user_id,
        activity_days.local_date

    from activity_days
    inner join people
        on activity_days.user_id = people.user_id

    union

    select
        heart_rate_days.user_id,
        heart_rate_days.local_date

    from heart_rate_days
    inner join people
        on heart_rate_days.user_id = people.user_id

    union

    select
        sleep_nights.user_id,
        sleep_nights.night_date as local_date

    from sleep_nights
    inner join people
        on sleep_nights.user_id = people.user_id

),

lifetimes as (

    select
        user_id,
        min(local_date) as first_date,
        max(local_date) as last_date

    from evidence

    group by user_id

),

-- The whole calendar is long: cut it to the dates anybody has before it meets the people.
dates as (

    select calendar_dates.local_date

    from calendar_dates

    where
        calendar_dates.local_date >= (select min(first_date) from lifetimes)
        and calendar_dates.local_date <= (select max(last_date) from lifetimes)

),

spine as (

    select
        lifetimes.user_id,
        dates.local_date

    from lifetimes
    inner join dates
        on dates.local_date between lifetimes.first_date and lifetimes.last_date

),

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

days as (

    select
        spine.user_id,              -- person
        spine.local_date,           -- the person's date
        activity_days.user_id is not null
            as has_steps,           -- there is a step sample
        heart_rate_days.user_id is not null
            as has_heart_rate,      -- there is a heart-rate sample
        sleep_nights.user_id is not null
            as has_sleep,           -- a night ended on this date
        wear_days.worn_min,         -- min worn; null when nothing was measured
        wear_days.wear_source,      -- heart_rate or motion: what says so
        coalesce(
            wear_days.wear_source = 'heart_rate'
            and wear_days.worn_min - coalesce(sleep_nights.time_in_bed_min, 0) >= valid_day.worn_awake_min,
            false
        )
        or coalesce(wear_days.motion_min >= valid_day.worn_awake_min, false)
            as is_valid_day,        -- worn at least valid_day_worn_min awake
        coalesce(sleep_nights.time_in_bed_min >= valid_night.in_bed_min, false)
            as is_valid_night,      -- at least valid_night_in_bed_min in bed
        'user_days/1'
            as method_version       -- formula of this row

    from spine
    left join activity_days
        on spine.user_id = activity_days.user_id
        and spine.local_date = activity_days.local_date
    left join heart_rate_days
        on spine.user_id = heart_rate_days.user_id
        and spine.local_date = heart_rate_days.local_date
    left join sleep_nights
        on spine.user_id = sleep_nights.user_id
        and spine.local_date = sleep_nights.night_date
    left join wear_days
        on spine.user_id = wear_days.user_id
        and spine.local_date = wear_days.local_date
    cross join valid_day
    cross join valid_night

)

select * from days
