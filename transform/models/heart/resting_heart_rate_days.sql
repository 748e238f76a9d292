-- resting_heart_rate_days: one row per person and local date on which a resting heart rate can be told.
--
-- grain:    user_id, local_date
-- inputs:   heart_rate_nights, sleep_nights, stg_beds, stg_day_samples, definitions
-- build:    table
-- go:       resting_heart_rate_days
-- order:    none
-- output:   user_id varchar: person
-- output:   local_date date: the person's date; of a night, the date of waking
-- output:   resting_heart_rate_bpm double: beats/min
-- output:   resting_heart_rate_source varchar: asleep or awake: which definition
-- output:   measured_min integer: min it rests on: of the fullest window asleep, of all still minutes awake
-- source:   asleep: the lowest 30-minute mean of the main sleep (heart_rate_nights); awake, only when there is no such
--           night: the 5th percentile of the measured minutes out of bed and without a step in the last 10, of at least
--           60; only what can be a resting heart rate (methods 2.2)
-- audit:    resting_heart_rate_bpm between 30 and 110
-- audit:    resting_heart_rate_source in ('asleep', 'awake')
-- audit:    measured_min >= 20
-- caution:  awake is higher than asleep: never compare one with the other or put both on one trend; on the date of a
--           night known by its sums alone nobody knows which minutes were awake, and there is no row; sleep that nobody
--           told and that was not found counts as awake
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

-- Minutes are for those who were not seen asleep: handing over everybody's took four times as long.
dates as (

    select
        dirty_days.user_id,
        dirty_days.local_date,
        asleep.resting_heart_rate_bpm as asleep_bpm,
        cast(asleep.measured_min as integer) as asleep_measured_min,
        case when asleep.user_id is null then stg_day_samples.heart_rate_minutes end as heart_rate_minutes,
        case when asleep.user_id is null then stg_day_samples.heart_rate_sums_bpm end as heart_rate_sums_bpm,
        case when asleep.user_id is null then stg_day_samples.heart_rate_sample_counts end as heart_rate_sample_counts,
        case when asleep.user_id is null then stg_day_samples.step_minutes end as step_minutes,
        case when asleep.user_id is null then stg_day_samples.step_counts end as step_counts,
        stg_beds.bed_from_minutes,
        stg_beds.bed_until_minutes,
        rules.*

    from stg_day_samples
    right join dirty_days
        on stg_day_samples.user_id = dirty_days.user_id
        and stg_day_samples.local_date = dirty_days.local_date
    left join asleep
        on dirty_days.user_id = asleep.user_id
        and dirty_days.local_date = asleep.local_date
    left join sleep_nights
        on dirty_days.user_id = sleep_nights.user_id
        and dirty_days.local_date = sleep_nights.night_date
    left join stg_beds
        on dirty_days.user_id = stg_beds.user_id
        and dirty_days.local_date = stg_beds.local_date
    cross join rules

    where
        asleep.user_id is not null
        or (
            stg_day_samples.heart_rate_minutes is not null
            and stg_day_samples.step_minutes is not null
            and coalesce(sleep_nights.source, '') <> 'summary'
        )

)

select * from dates
