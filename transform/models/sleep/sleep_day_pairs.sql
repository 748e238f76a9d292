-- sleep_day_pairs: one row per person and date that can be compared with the date before: how long both were in one state.
--
-- grain:    user_id, local_date
-- inputs:   stg_worn_hours, hypnograms, sleep_nights, definitions
-- build:    table
-- lookback: 1 days around
-- reach:    1 days around
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

hours as (

    select
        stg_worn_hours.user_id,
        stg_worn_hours.local_date,
        stg_worn_hours.hour_at,
        stg_worn_hours.utc_offset_min, -- Clock times in ms after the date's midnight; an hour that lies on two dates is cut at midnight.
        date_diff('millisecond', timestamptz '1970-01-01 00:00:00+00', stg_worn_hours.hour_at)
            + cast(stg_worn_hours.utc_offset_min as bigint) * 60000
            - cast(date_diff('day', date '1970-01-01', stg_worn_hours.local_date) as bigint) * 86400000 as clock_ms

    from stg_worn_hours
    cross join rules

    where stg_worn_hours.measured_min >= rules.hour_worn_min

),

-- Of an hour of the clock that comes twice the first counts.
single_hours as (

    select
        hours.*,
        row_number() over (partition by user_id, local_date, clock_ms order by hour_at) as repetition

    from hours

),

observed_hours as (

    select
        user_id,
        local_date,
        hour_at,
        clock_ms,
        greatest(clock_ms, 0) as from_ms,
        least(clock_ms + 3600000, 86400000) as to_ms

    from single_hours

    where repetition = 1

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

observed_dates as (

    select
        observed_hours.user_id,
        observed_hours.local_date

    from observed_hours
    cross join rules

    where not exists (
        select 1
        from unfit_dates
        where
            unfit_dates.user_id = observed_hours.user_id
            and unfit_dates.local_date = observed_hours.local_date
    )

    group by observed_hours.user_id, observed_hours.local_date

    having 86400000 - sum(observed_hours.to_ms - observed_hours.from_ms) <= min(rules.missing_max_min) * 60000

),

-- Both hypnograms of a night are never mixed: the device's where there is one.
nights_told as (

    select distinct
        user_id,
        night_date,
        period_started_at

    from hypnograms

    where source = 'device'

),

sleep_bouts as (

    select
        hypnograms.user_id,
        hypnograms.night_date,
        date_diff('millisecond', timestamptz '1970-01-01 00:00:00+00', hypnograms.started_at) as start_ms,
        date_diff('millisecond', timestamptz '1970-01-01 00:00:00+00', hypnograms.ended_at) as end_ms

    from hypnograms
    left join nights_told
        on hypnograms.user_id = nights_told.user_id
        and hypnograms.night_date = nights_told.night_date
        and hypnograms.period_started_at = nights_told.period_started_at

    where
        hypnograms.state = 'asleep'
        and (hypnograms.source = 'device' or nights_told.user_id is null)

),

-- Sleep within observed hours, on the clock of each hour. Sleep of a date is told by that date's night or the next.
bouts_of_dates as (

    select sleep_bouts.*, sleep_bouts.night_date as local_date

    from sleep_bouts

    union all

    select sleep_bouts.*, sleep_bouts.night_date - 1 as local_date

    from sleep_bouts

),

asleep as (

    select
        bouts_of_dates.user_id,
        bouts_of_dates.local_date,
        greatest(
            bouts_of_dates.start_ms
            - date_diff('millisecond', timestamptz '1970-01-01 00:00:00+00', observed_hours.hour_at)
            + observed_hours.clock_ms,
            observed_hours.from_ms
        ) as from_ms,
        least(
            bouts_of_dates.end_ms
            - date_diff('millisecond', timestamptz '1970-01-01 00:00:00+00', observed_hours.hour_at)
            + observed_hours.clock_ms,
            observed_hours.to_ms
        ) as to_ms

    from bouts_of_dates
    inner join observed_hours
        on bouts_of_dates.user_id = observed_hours.user_id
        and bouts_of_dates.local_date = observed_hours.local_date
        and date_diff('millisecond', timestamptz '1970-01-01 00:00:00+00', observed_hours.hour_at) < bouts_of_dates.end_ms
        and date_diff('millisecond', timestamptz '1970-01-01 00:00:00+00', observed_hours.hour_at) + 3600000
            > bouts_of_dates.start_ms

),

pairs as (

    select
        today.user_id,
        today.local_date

    from observed_dates as today
    inner join dirty_days
        on today.user_id = dirty_days.user_id
        and today.local_date = dirty_days.local_date
    inner join observed_dates as yesterday
        on today.user_id = yesterday.user_id
        and yesterday.local_date = today.local_date - 1

),

both_observed as (

    select
        pairs.user_id,
        pairs.local_date,
        sum(greatest(0, least(today.to_ms, yesterday.to_ms) - greatest(today.from_ms, yesterday.from_ms))) as overlap_ms

    from pairs
    inner join observed_hours as today
        on pairs.user_id = today.user_id
        and pairs.local_date = today.local_date
    inner join observed_hours as yesterday
        on pairs.user_id = yesterday.user_id
        and yesterday.local_date = pairs.local_date - 1
        and yesterday.to_ms > today.from_ms
        and yesterday.from_ms < today.to_ms

    group by pairs.user_id, pairs.local_date

),

asleep_today as (

    select
        pairs.user_id,
        pairs.local_date,
        sum(greatest(0, least(today.to_ms, yesterday.to_ms) - greatest(today.from_ms, yesterday.from_ms))) as overlap_ms

    from pairs
    inner join asleep as today
        on pairs.user_id = today.user_id
        and pairs.local_date = today.local_date
    inner join observed_hours as yesterday
        on pairs.user_id = yesterday.user_id
        and yesterday.local_date = pairs.local_date - 1
        and yesterday.to_ms > today.from_ms
        and yesterday.from_ms < today.to_ms

    group by pairs.user_id, pairs.local_date

),

asleep_yesterday as (

    select
        pairs.user_id,
        pairs.local_date,
        sum(greatest(0, least(today.to_ms, yesterday.to_ms) - greatest(today.from_ms, yesterday.from_ms))) as overlap_ms

    from pairs
    inner join observed_hours as today
        on pairs.user_id = today.user_id
        and pairs.local_date = today.local_date
    inner join asleep as yesterday
        on pairs.user_id = yesterday.user_id
        and yesterday.local_date = pairs.local_date - 1
        and yesterday.to_ms > today.from_ms
        and yesterday.from_ms < today.to_ms

    group by pairs.user_id, pairs.local_date

),

asleep_both as (

    select
        pairs.user_id,
        pairs.local_date,
        sum(greatest(0, least(today.to_ms, yesterday.to_ms) - greatest(today.from_ms, yesterday.from_ms))) as overlap_ms

    from pairs
    inner join asleep as today
        on pairs.user_id = today.user_id
        and pairs.local_date = today.local_date
    inner join asleep as yesterday
        on pairs.user_id = yesterday.user_id
        and yesterday.local_date = pairs.local_date - 1
        and yesterday.to_ms > today.from_ms
        and yesterday.from_ms < today.to_ms

    group by pairs.user_id, pairs.local_date

),

day_pairs as (

    select
        pairs.user_id,                  -- person
        pairs.local_date,               -- the later of the two dates
        cast(both_observed.overlap_ms as bigint)
            as observed_ms,             -- ms of the clock that both dates observed
        cast(
            both_observed.overlap_ms - coalesce(asleep_today.overlap_ms, 0) - coalesce(asleep_yesterday.overlap_ms, 0)
            + 2 * coalesce(asleep_both.overlap_ms, 0)
            as bigint
        )
            as agreed_ms,               -- ms of them with sleep on both dates or on neither
        'sleep_day_pairs/1'
            as method_version           -- formula of this row

    from pairs
    inner join both_observed
        on pairs.user_id = both_observed.user_id
        and pairs.local_date = both_observed.local_date
    left join asleep_today
        on pairs.user_id = asleep_today.user_id
        and pairs.local_date = asleep_today.local_date
    left join asleep_yesterday
        on pairs.user_id = asleep_yesterday.user_id
        and pairs.local_date = asleep_yesterday.local_date
    left join asleep_both
        on pairs.user_id = asleep_both.user_id
        and pairs.local_date = asleep_both.local_date

    -- Devices whose clocks disagree have some of the day twice; then nobody knows what was when.
    where both_observed.overlap_ms <= 86400000

)

select * from day_pairs
