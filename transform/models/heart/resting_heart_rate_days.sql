-- resting_heart_rate_days: one row per person and local date on which a resting heart rate can be told.
--
-- grain:    user_id, local_date
-- inputs:   stg_heart_rate, stg_steps, sleep_nights, definitions
-- build:    table
-- lookback: 2 days
-- reach:    2 days
-- source:   asleep: the lowest 30-minute mean of the minutes of the main sleep, of at least 20 measured minutes; awake,
--           only when there is no such night: the 5th percentile of the measured minutes without a step in the last 10,
--           of at least 60 (methods 2.2)
-- audit:    resting_heart_rate_bpm between 25 and 250
-- audit:    resting_heart_rate_source in ('asleep', 'awake')
-- audit:    measured_min >= 20
-- caution:  awake is higher than asleep: never compare one with the other or put both on one trend; a night known by its
--           sums alone has no minutes asleep
-- method:   resting_heart_rate_days/1

with

rules as (

    select
        max(case when name = 'resting_window_min' then value end) as window_min,
        max(case when name = 'resting_window_measured_min' then value end) as window_measured_min,
        max(case when name = 'resting_awake_still_min' then value end) as still_min,
        max(case when name = 'resting_awake_measured_min' then value end) as awake_measured_min,
        max(case when name = 'resting_awake_percentile' then value end) as awake_percentile

    from definitions

),

nights as (

    select
        sleep_nights.user_id,
        sleep_nights.night_date,
        date_diff('minute', timestamptz '1970-01-01 00:00:00+00', sleep_nights.sleep_onset_at) as first_minute,
        date_diff('minute', timestamptz '1970-01-01 00:00:00+00', sleep_nights.sleep_offset_at) as end_minute

    from sleep_nights
    inner join dirty_days
        on sleep_nights.user_id = dirty_days.user_id
        and sleep_nights.night_date = dirty_days.local_date

    where sleep_nights.sleep_onset_at is not null

),

-- The dates a night's minutes may lie on, one by one: joined by equal dates, a person's nights do not meet all of the
-- person's minutes.
dates_of_nights as (

    select
        nights.*,
        nights.night_date as local_date

    from nights

    union all

    select
        nights.*,
        nights.night_date - 1 as local_date

    from nights

    union all

    select
        nights.*,
        nights.night_date - 2 as local_date

    from nights

),

minutes_asleep as (

    select
        dates_of_nights.user_id,
        dates_of_nights.night_date,
        dates_of_nights.end_minute,
        stg_heart_rate.minute_number,
        cast(cast(stg_heart_rate.heart_rate_sum_bpm as double) / stg_heart_rate.sample_count as decimal(38, 20))
            as heart_rate_bpm

    from dates_of_nights
    inner join stg_heart_rate
        on dates_of_nights.user_id = stg_heart_rate.user_id
        and dates_of_nights.local_date = stg_heart_rate.local_date
        and stg_heart_rate.minute_number >= dates_of_nights.first_minute
        and stg_heart_rate.minute_number < dates_of_nights.end_minute

),

-- Each window begins with a measured minute and lies within the sleep.
windows as (

    select
        minutes_asleep.user_id,
        minutes_asleep.night_date,
        minutes_asleep.minute_number,
        minutes_asleep.end_minute,
        sum(minutes_asleep.heart_rate_bpm) over half_hour as heart_rate_sum_bpm,
        count(*) over half_hour as measured_min

    from minutes_asleep

    window half_hour as (
        partition by minutes_asleep.user_id, minutes_asleep.night_date
        order by minutes_asleep.minute_number
        range between current row and 29 following
    )

),

asleep as (

    select
        windows.user_id,
        windows.night_date as local_date,
        min(cast(windows.heart_rate_sum_bpm as double) / windows.measured_min) as resting_heart_rate_bpm,
        max(windows.measured_min) as measured_min

    from windows
    cross join rules

    where
        windows.measured_min >= rules.window_measured_min
        and windows.minute_number + rules.window_min <= windows.end_minute

    group by windows.user_id, windows.night_date

),

waking_days as (

    select
        dirty_days.user_id,
        dirty_days.local_date

    from dirty_days
    left join asleep
        on dirty_days.user_id = asleep.user_id
        and dirty_days.local_date = asleep.local_date

    where asleep.user_id is null

),

steps as (

    select
        stg_steps.user_id,
        stg_steps.local_date,
        stg_steps.minute_number,
        sum(stg_steps.step_count) over last_minutes as step_count,
        count(*) over last_minutes as observed_min

    from stg_steps
    inner join waking_days
        on stg_steps.user_id = waking_days.user_id
        and stg_steps.local_date = waking_days.local_date

    window last_minutes as (
        partition by stg_steps.user_id, stg_steps.local_date
        order by stg_steps.minute_number
        range between 9 preceding and current row
    )

),

minutes_still as (

    select
        stg_heart_rate.user_id,
        stg_heart_rate.local_date,
        cast(stg_heart_rate.heart_rate_sum_bpm as double) / stg_heart_rate.sample_count as heart_rate_bpm,
        row_number() over (
            partition by stg_heart_rate.user_id, stg_heart_rate.local_date
            order by
                cast(stg_heart_rate.heart_rate_sum_bpm as double) / stg_heart_rate.sample_count,
                stg_heart_rate.minute_number
        ) as place,
        count(*) over (partition by stg_heart_rate.user_id, stg_heart_rate.local_date) as measured_min

    from stg_heart_rate
    inner join steps
        on stg_heart_rate.user_id = steps.user_id
        and stg_heart_rate.local_date = steps.local_date
        and stg_heart_rate.minute_number = steps.minute_number
    cross join rules

    where
        steps.step_count = 0
        and steps.observed_min = rules.still_min

),

awake as (

    select
        minutes_still.user_id,
        minutes_still.local_date,
        minutes_still.heart_rate_bpm as resting_heart_rate_bpm,
        minutes_still.measured_min

    from minutes_still
    cross join rules

    where
        minutes_still.measured_min >= rules.awake_measured_min
        and minutes_still.place = ceil(minutes_still.measured_min * rules.awake_percentile / 100)

),

rests as (

    select
        asleep.user_id,
        asleep.local_date,
        asleep.resting_heart_rate_bpm,
        'asleep' as resting_heart_rate_source,
        asleep.measured_min

    from asleep

    union all

    select
        awake.user_id,
        awake.local_date,
        awake.resting_heart_rate_bpm,
        'awake' as resting_heart_rate_source,
        awake.measured_min

    from awake

),

days as (

    select
        user_id,                        -- person
        local_date,                     -- the person's date; of a night, the date of waking
        resting_heart_rate_bpm,         -- beats/min
        resting_heart_rate_source,      -- asleep or awake: which definition
        cast(measured_min as integer)
            as measured_min,            -- min it rests on: of the fullest window asleep, of all still minutes awake
        'resting_heart_rate_days/1'
            as method_version           -- formula of this row

    from rests

)

select * from days
