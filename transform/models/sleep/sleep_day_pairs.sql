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
-- caution:  an hour counts as observed when half of it is; without a heart rate, time without a step that is too long for
--           somebody awake is observed only where a device told of sleep; a date is left out whose sleep is known as a sum, is
--           unstaged or has holes, or of which devices with different clocks saw more than 24 hours; on a date of 23 or 25
--           hours the hours that both dates have count, an hour that comes twice once
-- method:   sleep_day_pairs/1

with

rules as (

    select
        max(case when name = 'sri_missing_max_min' then value end) as missing_max_min,
        max(case when name = 'sri_hour_worn_min' then value end) as hour_worn_min

    from definitions

),

told_sleeps as (

    select
        user_id,
        night_date,
        period_started_at,
        min(started_ms) as started_ms,
        max(ended_ms) as ended_ms

    from stg_told_stretches

    where source = 'device'

    group by user_id, night_date, period_started_at

),

-- Sleep of a date is told by that date's night or the next.
told_sleeps_of_dates as (

    select
        user_id,
        night_date as local_date,
        started_ms,
        ended_ms

    from told_sleeps

    union all

    select
        user_id,
        night_date - 1 as local_date,
        started_ms,
        ended_ms

    from told_sleeps

),

-- Who sleeps takes no step either: where a device told of sleep, a still hour does not say that it was not worn.
told_hours as (

    select
        stg_worn_hours.user_id,
        stg_worn_hours.local_date,
        stg_worn_hours.hour_ms,
        stg_worn_hours.utc_offset_min,
        sum(
            least(told_sleeps_of_dates.ended_ms, stg_worn_hours.hour_ms + 3600000)
            - greatest(told_sleeps_of_dates.started_ms, stg_worn_hours.hour_ms)
        ) / 60000.0 as told_min

    from stg_worn_hours
    inner join told_sleeps_of_dates
        on stg_worn_hours.user_id = told_sleeps_of_dates.user_id
        and stg_worn_hours.local_date = told_sleeps_of_dates.local_date
        and told_sleeps_of_dates.started_ms < stg_worn_hours.hour_ms + 3600000
        and told_sleeps_of_dates.ended_ms > stg_worn_hours.hour_ms

    where stg_worn_hours.still_min > 0

    group by stg_worn_hours.user_id, stg_worn_hours.local_date, stg_worn_hours.hour_ms, stg_worn_hours.utc_offset_min

),

observed_hours as (

    select
        stg_worn_hours.user_id,
        stg_worn_hours.local_date,
        stg_worn_hours.hour_ms,
        stg_worn_hours.utc_offset_min,
        stg_worn_hours.measured_min
            - greatest(0, coalesce(stg_worn_hours.still_min, 0) - coalesce(told_hours.told_min, 0)) as observed_min

    from stg_worn_hours
    left join told_hours
        on stg_worn_hours.user_id = told_hours.user_id
        and stg_worn_hours.local_date = told_hours.local_date
        and stg_worn_hours.hour_ms = told_hours.hour_ms
        and stg_worn_hours.utc_offset_min = told_hours.utc_offset_min

),

-- Times in ms after midnight UTC of their date.
hours as (

    select
        observed_hours.user_id,
        observed_hours.local_date,
        array_agg(cast(
            observed_hours.hour_ms - cast(date_diff('day', date '1970-01-01', observed_hours.local_date) as bigint) * 86400000 as integer
        )) as hours_ms,
        array_agg(cast(observed_hours.utc_offset_min as integer)) as utc_offsets_min

    from observed_hours
    cross join rules

    where observed_hours.observed_min >= rules.hour_worn_min

    group by observed_hours.user_id, observed_hours.local_date

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
sleep_bouts as (

    select
        stg_told_stretches.user_id,
        stg_told_stretches.night_date,
        stg_told_stretches.started_ms
            - cast(date_diff('day', date '1970-01-01', stg_told_stretches.night_date) as bigint) * 86400000 as start_ms,
        stg_told_stretches.ended_ms
            - cast(date_diff('day', date '1970-01-01', stg_told_stretches.night_date) as bigint) * 86400000 as end_ms

    from stg_told_stretches
    left join told_sleeps
        on stg_told_stretches.user_id = told_sleeps.user_id
        and stg_told_stretches.night_date = told_sleeps.night_date
        and stg_told_stretches.period_started_at = told_sleeps.period_started_at

    where
        stg_told_stretches.stage in ('light', 'deep', 'rem', 'asleep')
        and (stg_told_stretches.source = 'device' or told_sleeps.user_id is null)

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
