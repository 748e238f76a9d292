-- sleep_day_pairs: one row per person and date that can be compared with the date before: how long both were in one state.
--
-- grain:    user_id, local_date
-- inputs:   stg_worn_hours, stg_told_stretches, sleep_nights, definitions
-- build:    table
-- lookback: 1 days around
-- reach:    1 days around
-- go:       sleep_day_pairs
-- order:    user_id, local_date
-- output:   user_id varchar: person
-- output:   local_date date: the later of the two dates
-- output:   observed_ms bigint: ms of the clock that both dates observed
-- output:   agreed_ms bigint: ms of them with sleep on both dates or on neither
-- source:   sleep regularity (Phillips 2017, methods 1.7) on time instead of epochs: the minutes of the clock that both dates
--           saw, and those of them in which both slept or both were awake. Only what both observed counts, and a date with
--           more than 6 h missing is left out (Windred 2021)
-- audit:    agreed_ms between 0 and observed_ms
-- audit:    observed_ms between 0 and 86400000
-- caution:  an hour counts as observed when half of it is; a date is left out whose sleep is known as a sum, is unstaged or
--           has holes, or of which devices with different clocks saw more than 24 hours; on a date of 23 or 25 hours the
--           hours that both dates have count, an hour that comes twice once
-- method:   sleep_day_pairs/1

with

rules as (

    select
        max(case when name = 'sri_missing_max_min' then value end) as missing_max_min,
        max(case when name = 'sri_hour_worn_min' then value end) as hour_worn_min

    from definitions

),

-- Times in ms after midnight UTC of their date.
hours as (

    select
        stg_worn_hours.user_id,
        stg_worn_hours.local_date,
        array_agg(cast(
            stg_worn_hours.hour_ms - cast(date_diff('day', date '1970-01-01', stg_worn_hours.local_date) as bigint) * 86400000 as integer
        )) as hours_ms,
        array_agg(cast(stg_worn_hours.utc_offset_min as integer)) as utc_offsets_min

    from stg_worn_hours
    cross join rules

    where stg_worn_hours.measured_min >= rules.hour_worn_min

    group by stg_worn_hours.user_id, stg_worn_hours.local_date

),

unfit_dates as (

    select user_id, night_date as local_date

    from sleep_nights

    where source = 'summary' or invalid_reason is not null

    union -- The evening before such a night is not known either.
    select user_id, night_date - 1 as local_date

    from sleep_nights

    where source = 'summary' or invalid_reason is not null

),

-- Both hypnograms of a night are never mixed: the device's where there is one.
nights_told as (

    select distinct
        user_id,
        night_date,
        period_started_at

    from stg_told_stretches

    where source = 'device'

),

sleep_bouts as (

    select
        stg_told_stretches.user_id,
        stg_told_stretches.night_date,
        stg_told_stretches.started_ms
            - cast(date_diff('day', date '1970-01-01', stg_told_stretches.night_date) as bigint) * 86400000 as start_ms,
        stg_told_stretches.ended_ms
            - cast(date_diff('day', date '1970-01-01', stg_told_stretches.night_date) as bigint) * 86400000 as end_ms

    from stg_told_stretches
    left join nights_told
        on stg_told_stretches.user_id = nights_told.user_id
        and stg_told_stretches.night_date = nights_told.night_date
        and stg_told_stretches.period_started_at = nights_told.period_started_at

    where
        stg_told_stretches.stage in ('light', 'deep', 'rem', 'asleep')
        and (stg_told_stretches.source = 'device' or nights_told.user_id is null)

),

-- Sleep of a date is told by that date's night or the next.
bouts_of_dates as (

    select
        user_id,
        night_date as local_date,
        start_ms,
        end_ms

    from sleep_bouts

    union all

    select
        user_id,
        night_date - 1 as local_date,
        start_ms + 86400000 as start_ms,
        end_ms + 86400000 as end_ms

    from sleep_bouts

),

sleep as (

    select
        user_id,
        local_date,
        array_agg(cast(start_ms as integer)) as sleep_starts_ms,
        array_agg(cast(end_ms as integer)) as sleep_ends_ms

    from bouts_of_dates

    group by user_id, local_date

),

dates as (

    select
        hours.user_id,
        hours.local_date,
        hours.hours_ms,
        hours.utc_offsets_min,
        sleep.sleep_starts_ms,
        sleep.sleep_ends_ms,
        dirty_days.user_id is not null as is_dirty,
        rules.missing_max_min

    from hours
    left join sleep
        on hours.user_id = sleep.user_id
        and hours.local_date = sleep.local_date
    left join dirty_days
        on hours.user_id = dirty_days.user_id
        and hours.local_date = dirty_days.local_date
    cross join rules

    where not exists (
        select 1
        from unfit_dates
        where
            unfit_dates.user_id = hours.user_id
            and unfit_dates.local_date = hours.local_date
    )

)

select * from dates
