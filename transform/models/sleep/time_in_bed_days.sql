-- time_in_bed_days: one row per person and date with time in bed on it: how much of the date that was, all sleeps together.
--
-- grain:    user_id, local_date
-- inputs:   sleep_periods, sleep_nights
-- build:    table
-- lookback: 2 days around
-- reach:    2 days around
-- source:   main sleep, naps and further sleeps (methods 1.6), each on the dates it touches; whoever told them, or the rest that
--           was found where nobody did
-- audit:    time_in_bed_min >= 0
-- caution:  dates are those of the clock at onset; what was not observed in a main sleep is left out of both dates in
--           proportion, and of other sleeps it counts; a night known by its sum stands whole on its date, for all sleep that
--           ended then
-- method:   time_in_bed_days/1

with

-- Times in minutes since 1970-01-01 by the person's clock at onset.
periods as (

    select
        sleep_periods.user_id,
        sleep_periods.night_date,
        date_diff('minute', timestamptz '1970-01-01 00:00:00+00', sleep_periods.started_at)
            + sleep_periods.onset_utc_offset_min as from_minute,
        date_diff('minute', timestamptz '1970-01-01 00:00:00+00', sleep_periods.ended_at)
            + sleep_periods.onset_utc_offset_min as until_minute,
        case when sleep_nights.started_at = sleep_periods.started_at then sleep_nights.time_in_bed_min end as observed_min

    from sleep_periods
    left join sleep_nights
        on sleep_periods.user_id = sleep_nights.user_id
        and sleep_periods.night_date = sleep_nights.night_date

    where
        coalesce(sleep_nights.source, 'segments') <> 'summary'
        or sleep_nights.time_in_bed_min is null

),

-- A sleep that begins two dates before it ends is the longest there is; by the clock at onset it may end a date later.
steps as (

    select -2 as days
    union all
    select -1 as days
    union all
    select 0 as days
    union all
    select 1 as days

),

dated_periods as (

    select
        periods.*,
        periods.night_date + steps.days as local_date,
        date_diff('day', date '1970-01-01', periods.night_date + steps.days) * 1440 as midnight_minute

    from periods
    cross join steps

),

pieces as (

    select
        user_id,
        local_date,
        coalesce(observed_min, until_minute - from_minute)
            * (least(until_minute, midnight_minute + 1440) - greatest(from_minute, midnight_minute))
            / (until_minute - from_minute) as in_bed_min

    from dated_periods

    where
        from_minute < midnight_minute + 1440
        and until_minute > midnight_minute
        and from_minute < until_minute

    union all

    select
        user_id,
        night_date as local_date,
        time_in_bed_min as in_bed_min

    from sleep_nights

    where
        source = 'summary'
        and time_in_bed_min is not null

),

days as (

    select
        pieces.user_id,                 -- person
        pieces.local_date,              -- the person's date
        -- Decimals, because a sum of doubles depends on the order of its terms.
        cast(sum(cast(pieces.in_bed_min as decimal(18, 6))) as double)
            as time_in_bed_min,         -- min of the date in bed
        'time_in_bed_days/1'
            as method_version           -- formula of this row

    from pieces
    inner join dirty_days
        on pieces.user_id = dirty_days.user_id
        and pieces.local_date = dirty_days.local_date

    group by pieces.user_id, pieces.local_date

)

select * from days
