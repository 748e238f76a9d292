-- heart_rate_dips: one row per person and valid night: how much slower the heart was asleep than awake on that date.
--
-- grain:    user_id, night_date
-- inputs:   heart_rate_nights, sleep_nights, stg_beds, stg_day_samples, definitions
-- build:    table
-- go:       heart_rate_dips
-- order:    none
-- output:   user_id varchar: person
-- output:   night_date date: the person's date of waking
-- output:   awake_mean_bpm double: beats/min, mean over the date's minutes out of bed
-- output:   asleep_mean_bpm double: beats/min, mean of the main sleep
-- output:   dip_pct double: %, how much slower asleep than awake
-- output:   awake_measured_min integer: min measured out of bed
-- output:   asleep_measured_min integer: min measured in the main sleep
-- source:   100 x (mean awake - mean asleep) / mean awake; needs 6 h of wear awake and a valid night (methods 2.5),
--           2 h of it measured
-- audit:    asleep_mean_bpm between 25 and 230 and awake_mean_bpm between 25 and 230
-- audit:    awake_measured_min >= 360 and asleep_measured_min >= 120
-- audit:    dip_pct < 100
-- caution:  awake are the date's minutes outside all sleeps and naps, told or found, so a late evening counts for the
--           morning's night; the threshold of 10 % that people know is one of blood pressure and says nothing here
-- method:   heart_rate_dips/1

with

rules as (

    select
        max(case when name = 'dip_awake_min' then value end) as awake_min,
        max(case when name = 'dip_asleep_min' then value end) as asleep_min,
        max(case when name = 'valid_night_in_bed_min' then value end) as in_bed_min

    from definitions

),

nights as (

    select
        heart_rate_nights.user_id,
        heart_rate_nights.night_date,
        cast(heart_rate_nights.heart_rate_mean_bpm as double) as asleep_mean_bpm,
        cast(heart_rate_nights.measured_min as integer) as asleep_measured_min,
        stg_day_samples.heart_rate_minutes,
        stg_day_samples.heart_rate_sums_bpm,
        stg_day_samples.heart_rate_sample_counts,
        stg_beds.bed_from_minutes,
        stg_beds.bed_until_minutes,
        rules.awake_min

    from stg_day_samples
    inner join heart_rate_nights
        on stg_day_samples.user_id = heart_rate_nights.user_id
        and stg_day_samples.local_date = heart_rate_nights.night_date
    inner join dirty_days
        on heart_rate_nights.user_id = dirty_days.user_id
        and heart_rate_nights.night_date = dirty_days.local_date
    inner join sleep_nights
        on heart_rate_nights.user_id = sleep_nights.user_id
        and heart_rate_nights.night_date = sleep_nights.night_date
    left join stg_beds
        on heart_rate_nights.user_id = stg_beds.user_id
        and heart_rate_nights.night_date = stg_beds.local_date
    cross join rules

    where
        stg_day_samples.heart_rate_minutes is not null
        and sleep_nights.time_in_bed_min >= rules.in_bed_min
        and heart_rate_nights.measured_min >= rules.asleep_min

)

select * from nights
