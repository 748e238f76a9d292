-- wear_days: one row per person and local date on which the device shows whether it was worn.
--
-- grain:    user_id, local_date
-- inputs:   heart_rate_days, stg_day_samples, definitions
-- build:    table
-- go:       wear_days
-- order:    none
-- output:   user_id varchar: person
-- output:   local_date date: the person's date
-- output:   worn_min integer: min worn
-- output:   wear_source varchar: heart_rate or motion: what says so
-- output:   motion_min integer: min worn by motion; null without steps, and when heart rate alone settles the day
-- output:   measured_hour_still_mins integer[]: min of each hour of measured_hour_minutes in a stretch so long without a step that the device was not worn, or its person asleep; null when the heart was measured
-- output:   measured_hour_minutes integer[]: hours with a heart rate, on a date without any those with steps: the minute since 1970-01-01 UTC that each begins with
-- output:   measured_hour_utc_offsets_min integer[]: min east of UTC of each hour, as recorded
-- output:   measured_hour_mins integer[]: min of each hour with a sample, of the device that measured most of it
-- source:   a minute with a heart-rate sample is worn (methods 1.3, not worn); where it is not measured every minute, so is a
--           stretch of the clock with a sample, longer than samples lie apart on that date; without heart rate, a stretch of
--           90 min without a step is not worn, after Choi's 90 min of zero counts
-- audit:    worn_min between 0 and 3000
-- audit:    wear_source in ('heart_rate', 'motion')
-- audit:    motion_min between 0 and 3000
-- caution:  by motion a quiet evening may pass for not worn, and sleep does; a stretch ends at midnight
-- method:   wear_days/1

with

rules as (

    select
        max(case when name = 'wear_certain_min' then value end) as certain_min,
        max(case when name = 'motion_still_min' then value end) as still_min,
        max(case when name = 'worn_stretch_min' then value end) as worn_stretch_min,
        max(case when name = 'worn_stretch_max_min' then value end) as worn_stretch_max_min,
        max(case when name = 'worn_spacing_pct' then value end) as worn_spacing_pct

    from definitions

),

dates as (

    select
        dirty_days.user_id,
        dirty_days.local_date,
        heart_rate_days.measured_min as heart_rate_min,
        stg_day_samples.heart_rate_minutes,
        stg_day_samples.heart_rate_sums_bpm,
        stg_day_samples.heart_rate_sample_counts,
        stg_day_samples.heart_rate_utc_offset_min,
        stg_day_samples.heart_rate_utc_offsets_min,
        stg_day_samples.step_minutes,
        stg_day_samples.step_counts,
        stg_day_samples.worn_hour_minutes,
        stg_day_samples.worn_utc_offsets_min,
        stg_day_samples.worn_measured_mins,
        rules.*

    from stg_day_samples
    right join dirty_days
        on stg_day_samples.user_id = dirty_days.user_id
        and stg_day_samples.local_date = dirty_days.local_date
    left join heart_rate_days
        on dirty_days.user_id = heart_rate_days.user_id
        and dirty_days.local_date = heart_rate_days.local_date
    cross join rules

    where
        heart_rate_days.user_id is not null
        or stg_day_samples.step_minutes is not null

)

select * from dates
