-- resting_heart_rate_days: one row per person and local date on which a resting heart rate can be told.
--
-- grain:    user_id, local_date
-- inputs:   heart_rate_nights, stg_heart_rate, stg_steps, definitions
-- build:    table
-- source:   asleep: the lowest 30-minute mean of the main sleep (heart_rate_nights); awake, only when there is no such
--           night: the 5th percentile of the measured minutes without a step in the last 10, of at least 60; only what
--           can be a resting heart rate (methods 2.2)
-- audit:    resting_heart_rate_bpm between 30 and 110
-- audit:    resting_heart_rate_source in ('asleep', 'awake')
-- audit:    measured_min >= 20
-- caution:  awake is higher than asleep: never compare one with the other or put both on one trend; a night known by its
--           sums alone has no minutes asleep
-- method:   resting_heart_rate_days/1

with

rules as (

    select
        max(case when name = 'resting_awake_still_min' then value end) as still_min,
        max(case when name = 'resting_awake_measured_min' then value end) as awake_measured_min,
        max(case when name = 'resting_awake_percentile' then value end) as awake_percentile,
        max(case when name = 'resting_plausible_low_bpm' then value end) as plausible_low_bpm,
        max(case when name = 'resting_plausible_high_bpm' then value end) as plausible_high_bpm

    from definitions

),

asleep as (

    select
        heart_rate_nights.user_id,
        heart_rate_nights.night_date as local_date,
        heart_rate_nights.lowest_half_hour_bpm as resting_heart_rate_bpm,
        heart_rate_nights.half_hour_measured_min as measured_min

    from heart_rate_nights
    inner join dirty_days
        on heart_rate_nights.user_id = dirty_days.user_id
        and heart_rate_nights.night_date = dirty_days.local_date

    where heart_rate_nights.lowest_half_hour_bpm is not null

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

plausible_rests as (

    select rests.*

    from rests
    cross join rules

    where rests.resting_heart_rate_bpm between rules.plausible_low_bpm and rules.plausible_high_bpm

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

    from plausible_rests

)

select * from days
