-- in_bed_days: one row per person, date and unbroken time in bed that touches the date, naps included, all devices; and
-- the rest that was found where no device told of sleep.
--
-- grain:    user_id, local_date, from_minute
-- inputs:   sleep_episodes, sleep_periods
-- build:    table
-- lookback: 2 days around
-- reach:    2 days around
-- source:   in bed from an episode's beginning to its end (methods 1.6); of sleep that no device told, from the beginning of
--           the rest to its end
-- audit:    from_minute < until_minute
-- caution:  a time over midnight stands on both dates, whole; a night known by its sums alone has no row, unless its rest was
--           found too
-- method:   in_bed_days/1

with

episodes as (

    select
        user_id,
        night_date,
        date_diff('minute', timestamptz '1970-01-01 00:00:00+00', started_at) as from_minute,
        date_diff('minute', timestamptz '1970-01-01 00:00:00+00', ended_at) as until_minute,
        onset_utc_offset_min

    from sleep_episodes

    union all

    select
        user_id,
        night_date,
        date_diff('minute', timestamptz '1970-01-01 00:00:00+00', started_at) as from_minute,
        date_diff('minute', timestamptz '1970-01-01 00:00:00+00', ended_at) as until_minute,
        onset_utc_offset_min

    from sleep_periods

    where source = 'estimate'

),

dated_episodes as (

    select
        episodes.*,
        date '1970-01-01' + cast(floor((from_minute + onset_utc_offset_min) / 1440.0) as integer) as first_date

    from episodes

),

-- Nobody stays in bed for longer than three dates without a record that ends.
touched_dates as (

    select
        dated_episodes.*,
        night_date as local_date

    from dated_episodes

    union all

    select
        dated_episodes.*,
        night_date - 1 as local_date

    from dated_episodes

    where first_date <= night_date - 1

    union all

    select
        dated_episodes.*,
        night_date - 2 as local_date

    from dated_episodes

    where first_date <= night_date - 2

),

dirty_episodes as (

    select
        touched_dates.user_id,
        touched_dates.local_date,
        touched_dates.from_minute,
        touched_dates.until_minute,
        max(touched_dates.until_minute) over (
            partition by touched_dates.user_id, touched_dates.local_date
            order by touched_dates.from_minute, touched_dates.until_minute
            rows between unbounded preceding and 1 preceding
        ) as until_before

    from touched_dates
    inner join dirty_days
        on touched_dates.user_id = dirty_days.user_id
        and touched_dates.local_date = dirty_days.local_date

    where touched_dates.from_minute < touched_dates.until_minute

),

-- What two devices tell of one time in bed is one time in bed.
numbered_episodes as (

    select
        dirty_episodes.*,
        sum(case when until_before >= from_minute then 0 else 1 end) over (
            partition by user_id, local_date
            order by from_minute, until_minute
            rows unbounded preceding
        ) as bed_number

    from dirty_episodes

),

days as (

    select
        user_id,                    -- person
        local_date,                 -- the person's date
        min(from_minute)
            as from_minute,         -- in bed from, minutes since 1970-01-01 UTC
        max(until_minute)
            as until_minute,        -- in bed until, minutes since 1970-01-01 UTC; not included
        'in_bed_days/1'
            as method_version       -- formula of this row

    from numbered_episodes

    group by user_id, local_date, bed_number

)

select * from days
