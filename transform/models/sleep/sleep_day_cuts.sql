-- sleep_day_cuts: one row per person and date for which the person set when the sleep day begins.
--
-- grain:    user_id, local_date
-- inputs:   stg_day_cuts, heart_rate_days
-- build:    table
-- lookback: person
-- reach:    forward
-- source:   product rule S4: a setting of the person, noon without it; the latest setting not after the date is valid
-- audit:    day_cut_min between 1 and 1440
-- caution:  only dates with a heart rate have a row: nothing is searched on others
-- method:   sleep_day_cuts/1

with

settings as (

    select
        user_id,
        local_date as valid_from,
        lead(local_date) over (partition by user_id order by local_date) as valid_to,
        day_cut_min

    from stg_day_cuts

),

days as (

    select
        heart_rate_days.user_id,    -- person
        heart_rate_days.local_date, -- the person's date
        settings.day_cut_min,       -- minute of the day at which a sleep day ends and the next begins
        'sleep_day_cuts/1'
            as method_version       -- formula of this row

    from heart_rate_days
    inner join dirty_days
        on heart_rate_days.user_id = dirty_days.user_id
        and heart_rate_days.local_date = dirty_days.local_date
    inner join settings
        on heart_rate_days.user_id = settings.user_id
        and heart_rate_days.local_date >= settings.valid_from
        and (settings.valid_to is null or heart_rate_days.local_date < settings.valid_to)

    where settings.day_cut_min is not null

)

select * from days
