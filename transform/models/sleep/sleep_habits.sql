-- sleep_habits: one row per person and date with sleep: when the person went to sleep and woke on the dates before.
--
-- grain:    user_id, night_date
-- inputs:   sleep_episodes, sleep_windows, definitions
-- build:    table
-- lookback: 14 days
-- reach:    14 days
-- source:   medians on the clock over the 14 dates before this one (product rules S5, A5): the time from which all others
--           are nearest, then the median of the distances from it; of each date the longest sleep that is no nap by its
--           length
-- audit:    night_count between 0 and 14
-- audit:    habitual_onset_minute >= 0 and habitual_onset_minute < 1440
-- audit:    habitual_offset_minute >= 0 and habitual_offset_minute < 1440
-- caution:  null with fewer than 5 such nights; somebody who sleeps around the clock has a median and no habit
-- method:   sleep_habits/1

with

rules as (

    select
        max(case when name = 'habit_night_count' then value end) as night_count,
        max(case when name = 'habit_night_count_min' then value end) as night_count_min,
        max(case when name = 'nap_max_min' then value end) as nap_max_min

    from definitions

),

sleeps as (

    select
        user_id,
        night_date,
        date_diff('minute', timestamptz '1970-01-01 00:00:00+00', sleep_onset_at) + onset_utc_offset_min as onset_min,
        date_diff('minute', timestamptz '1970-01-01 00:00:00+00', sleep_offset_at) + offset_utc_offset_min as offset_min,
        date_diff('minute', sleep_onset_at, sleep_offset_at) as length_min,
        device_id

    from sleep_episodes

    union all

    select
        user_id,
        night_date,
        date_diff('minute', timestamptz '1970-01-01 00:00:00+00', started_at) + start_utc_offset_min as onset_min,
        date_diff('minute', timestamptz '1970-01-01 00:00:00+00', ended_at) + end_utc_offset_min as offset_min,
        duration_min as length_min,
        '' as device_id

    from sleep_windows

),

ranked_sleeps as (

    select
        sleeps.*,
        row_number() over (
            partition by sleeps.user_id, sleeps.night_date
            order by sleeps.length_min desc, sleeps.device_id, sleeps.onset_min
        ) as length_rank

    from sleeps

),

long_sleeps as (

    select
        ranked_sleeps.user_id,
        ranked_sleeps.night_date,
        ranked_sleeps.onset_min % 1440 as onset_minute,
        ranked_sleeps.offset_min % 1440 as offset_minute

    from ranked_sleeps
    cross join rules

    where
        ranked_sleeps.length_rank = 1
        and ranked_sleeps.length_min >= rules.nap_max_min

),

dates as (

    select
        dirty_days.user_id,
        dirty_days.local_date as night_date

    from dirty_days

    where exists (
        select 1
        from sleeps
        where
            sleeps.user_id = dirty_days.user_id
            and sleeps.night_date = dirty_days.local_date
    )

),

nights_before as (

    select
        dates.user_id,
        dates.night_date,
        long_sleeps.night_date as past_date,
        'onset' as edge,
        long_sleeps.onset_minute as minute

    from dates
    cross join rules
    inner join long_sleeps
        on dates.user_id = long_sleeps.user_id
        and long_sleeps.night_date >= dates.night_date - cast(rules.night_count as integer)
        and long_sleeps.night_date < dates.night_date

    union all

    select
        dates.user_id,
        dates.night_date,
        long_sleeps.night_date as past_date,
        'offset' as edge,
        long_sleeps.offset_minute as minute

    from dates
    cross join rules
    inner join long_sleeps
        on dates.user_id = long_sleeps.user_id
        and long_sleeps.night_date >= dates.night_date - cast(rules.night_count as integer)
        and long_sleeps.night_date < dates.night_date

),

-- How far all the others are from each, the short way round the clock.
distances as (

    select
        centre.user_id,
        centre.night_date,
        centre.edge,
        centre.minute,
        sum(least(abs(centre.minute - other.minute), 1440 - abs(centre.minute - other.minute))) as distance_min

    from nights_before as centre
    inner join nights_before as other
        on centre.user_id = other.user_id
        and centre.night_date = other.night_date
        and centre.edge = other.edge

    group by centre.user_id, centre.night_date, centre.edge, centre.past_date, centre.minute

),

centres_ranked as (

    select
        distances.*,
        row_number() over (partition by user_id, night_date, edge order by distance_min, minute) as closeness

    from distances

),

unrolled as (

    select
        nights_before.user_id,
        nights_before.night_date,
        nights_before.edge,
        centres_ranked.minute as centre_minute,
        (nights_before.minute - centres_ranked.minute + 720 + 1440) % 1440 - 720 as from_centre_min,
        row_number() over (
            partition by nights_before.user_id, nights_before.night_date, nights_before.edge
            order by (nights_before.minute - centres_ranked.minute + 720 + 1440) % 1440
        ) as place,
        count(*) over (partition by nights_before.user_id, nights_before.night_date, nights_before.edge) as night_count

    from nights_before
    inner join centres_ranked
        on nights_before.user_id = centres_ranked.user_id
        and nights_before.night_date = centres_ranked.night_date
        and nights_before.edge = centres_ranked.edge
        and centres_ranked.closeness = 1

),

medians as (

    select
        user_id,
        night_date,
        edge,
        min(night_count) as night_count,
        min(centre_minute) + (
            min(case when place = ceil(night_count / 2.0) then from_centre_min end)
            + min(case when place = floor(night_count / 2.0) + 1 then from_centre_min end)
        ) / 2.0 as minute

    from unrolled

    group by user_id, night_date, edge

),

habits as (

    select
        dates.user_id,                  -- person
        dates.night_date,               -- the person's date of waking
        cast(coalesce(max(medians.night_count), 0) as integer)
            as night_count,             -- nights of the 14 dates before that count
        cast(max(case
            when medians.edge = 'onset' and medians.night_count >= rules.night_count_min
                then (medians.minute + 1440) - floor((medians.minute + 1440) / 1440) * 1440
        end) as double)
            as habitual_onset_minute,   -- min after midnight, median onset; null with too few nights
        cast(max(case
            when medians.edge = 'offset' and medians.night_count >= rules.night_count_min
                then (medians.minute + 1440) - floor((medians.minute + 1440) / 1440) * 1440
        end) as double)
            as habitual_offset_minute,  -- min after midnight, median offset; null with too few nights
        'sleep_habits/1'
            as method_version           -- formula of this row

    from dates
    cross join rules
    left join medians
        on dates.user_id = medians.user_id
        and dates.night_date = medians.night_date

    group by dates.user_id, dates.night_date

)

select * from habits
