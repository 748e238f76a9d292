-- activity_hours: one row per person, local date and hour on the person's clock with a step or heart-rate sample: how the
-- hour was spent, awake and with the watch on.
--
-- grain:    user_id, local_date, local_hour
-- inputs:   stg_day_samples, stg_beds, sleep_nights, wear_days, workouts, profile_days, heart_rate_max_days,
--           resting_heart_rate_days, definitions
-- build:    table
-- lookback: 1 days
-- daily:    stg_day_samples, in_bed_days, sleep_nights, wear_days, profile_days, heart_rate_max_days, resting_heart_rate_days
-- reach:    1 days
-- go:       activity_hours
-- order:    none
-- output:   user_id varchar: person
-- output:   local_date date: the person's date
-- output:   local_hour integer: 0 to 23 on the person's clock; the hour that comes twice is one
-- output:   step_count bigint: steps; null when none were counted
-- output:   observed_min integer: min over which steps were counted
-- output:   measured_min integer: min with a heart-rate sample
-- output:   cadence_light_min integer: min of 1 to 99 steps; null without steps
-- output:   cadence_moderate_min integer: min of 100 to 129 steps; null without steps
-- output:   cadence_vigorous_min integer: min of 130 steps or more; null without steps
-- output:   moderate_cardio_min integer: min moderate by cadence or heart rate, whichever says more
-- output:   vigorous_cardio_min integer: min vigorous by cadence or heart rate
-- output:   cardio_points integer: points, moderate 1 and vigorous 2 a minute
-- output:   worn_awake_min integer: min worn and not in bed; null when only the sums of the night are known
-- output:   sedentary_awake_min integer: min of them sedentary; null without steps, and when the date's steps do not tell it
-- output:   longest_sedentary_bout_min integer: min, the longest bout that began in the hour; null when none did
-- output:   prolonged_bout_count integer: bouts of at least 30 min that began in the hour; null where sedentary_awake_min is
-- output:   prolonged_bout_min integer: min in them; null where sedentary_awake_min is
-- output:   long_bout_count integer: bouts of at least 60 min that began in the hour; null where sedentary_awake_min is
-- output:   sedentary_break_count integer: bouts that began in the hour and were broken off by movement before the day's last; null where sedentary_awake_min is
-- output:   active_energy_cal bigint: cal beyond rest, estimated; 1000 cal = 1 kcal; null without weight
-- output:   active_energy_min integer: min it was estimated over; null without weight
-- output:   heart_energy_min integer: min of them estimated by heart rate
-- output:   implausible_min integer: min of more steps than legs make
-- output:   implausible_run_min integer: min within ten on end of more than 220 steps
-- output:   shaker_min integer: min within ten on end of many steps at a resting pulse
-- source:   cadence classes after CADENCE-Adults; a moderate or vigorous minute by cadence or, with a step or a workout in the
--           last 5 min, by heart rate, whichever says more (methods 3.2, E058); sedentary is awake, worn, without a step and
--           below resting heart rate + 20 % of the reserve (E084); energy beyond rest by MET (E048), or by Keytel 2005 within
--           its gate: from 90 beats/min, and from half the reserve or in a workout (methods 3.3, E049); what is not believed
--           after methods 5.7
-- audit:    local_hour between 0 and 23
-- audit:    worn_awake_min between 0 and 1440
-- audit:    sedentary_awake_min <= worn_awake_min
-- audit:    longest_sedentary_bout_min >= prolonged_bout_count
-- audit:    cardio_points >= moderate_cardio_min + vigorous_cardio_min
-- audit:    long_bout_count <= prolonged_bout_count
-- caution:  a wrist cannot tell sitting from standing; a bout counts in the hour it begins in and ends at midnight; worn is
--           five minutes of the clock with a heart-rate sample, more on a day on which it comes every five minutes or less
--           often, or, on a day without heart rate, no 90 min without a step; when only the sums of a night are known, awake
--           is not, and what needs it is null; nor is sitting when fewer than four in five minutes worn and awake have a step
--           sample, as of a device that sends those with steps alone; a fast heart looks back for steps to midnight at most,
--           and for a workout to one that began the day before; a recorded workout counts, whoever recorded it; figures by
--           heart rate need a highest heart rate, by age at least, energy needs weight too; the cadence in the minutes of a
--           longer step sample is its mean, and where that is less than a step a minute, some pass for still
-- method:   activity_hours/1

with

rules as (

    select
        max(case when name = 'cadence_moderate_per_min' then value end) as cadence_moderate,
        max(case when name = 'cadence_vigorous_per_min' then value end) as cadence_vigorous,
        max(case when name = 'cardio_moderate_heart_rate_pct' then value end) as moderate_heart_rate_pct,
        max(case when name = 'cardio_vigorous_heart_rate_pct' then value end) as vigorous_heart_rate_pct,
        max(case when name = 'cardio_recent_min' then value end) as recent_min,
        max(case when name = 'cardio_moderate_points' then value end) as moderate_points,
        max(case when name = 'cardio_vigorous_points' then value end) as vigorous_points,
        max(case when name = 'sedentary_heart_rate_reserve_pct' then value end) as sedentary_reserve_pct,
        max(case when name = 'sedentary_counted_min_pct' then value end) as sitting_counted_pct,
        max(case when name = 'sedentary_prolonged_min' then value end) as prolonged_min,
        max(case when name = 'sedentary_long_min' then value end) as long_min,
        max(case when name = 'motion_still_min' then value end) as motion_still_min,
        max(case when name = 'worn_stretch_min' then value end) as worn_stretch_min,
        max(case when name = 'worn_stretch_max_min' then value end) as worn_stretch_max_min,
        max(case when name = 'worn_spacing_pct' then value end) as worn_spacing_pct,
        max(case when name = 'met_light' then value end) as met_light,
        max(case when name = 'met_moderate' then value end) as met_moderate,
        max(case when name = 'met_vigorous' then value end) as met_vigorous,
        max(case when name = 'keytel_male' then value end) as keytel_male,
        max(case when name = 'keytel_male_heart_rate' then value end) as keytel_male_heart_rate,
        max(case when name = 'keytel_male_weight' then value end) as keytel_male_weight,
        max(case when name = 'keytel_male_age' then value end) as keytel_male_age,
        max(case when name = 'keytel_female' then value end) as keytel_female,
        max(case when name = 'keytel_female_heart_rate' then value end) as keytel_female_heart_rate,
        max(case when name = 'keytel_female_weight' then value end) as keytel_female_weight,
        max(case when name = 'keytel_female_age' then value end) as keytel_female_age,
        max(case when name = 'kilojoules_per_kcal' then value end) as kilojoules_per_kcal,
        max(case when name = 'keytel_heart_rate_min_bpm' then value end) as keytel_heart_rate_min,
        max(case when name = 'keytel_reserve_min_pct' then value end) as keytel_reserve_pct,
        max(case when name = 'implausible_cadence_per_min' then value end) as implausible_cadence,
        max(case when name = 'implausible_run_cadence_per_min' then value end) as implausible_run_cadence,
        max(case when name = 'implausible_run_min' then value end) as implausible_run_min,
        max(case when name = 'shaker_cadence_per_min' then value end) as shaker_cadence,
        max(case when name = 'shaker_heart_rate_margin_bpm' then value end) as shaker_margin,
        max(case when name = 'shaker_run_min' then value end) as shaker_run_min

    from definitions

),

-- What is known of each person on each date; what is not known is null, and so is all that needs it.
days as (

    select
        dirty_days.user_id,
        dirty_days.local_date,
        profile_days.sex,
        profile_days.age_years,
        profile_days.body_weight_g,
        resting_heart_rate_days.resting_heart_rate_bpm as resting_bpm,
        heart_rate_max_days.heart_rate_max_bpm as highest_bpm,
        coalesce(wear_days.wear_source = 'motion', false) as is_worn_by_motion,
        coalesce(sleep_nights.source = 'summary', false) as is_sleep_unknown

    from dirty_days
    left join profile_days
        on dirty_days.user_id = profile_days.user_id
        and dirty_days.local_date = profile_days.local_date
    left join heart_rate_max_days
        on dirty_days.user_id = heart_rate_max_days.user_id
        and dirty_days.local_date = heart_rate_max_days.local_date
    left join resting_heart_rate_days
        on dirty_days.user_id = resting_heart_rate_days.user_id
        and dirty_days.local_date = resting_heart_rate_days.local_date
    left join wear_days
        on dirty_days.user_id = wear_days.user_id
        and dirty_days.local_date = wear_days.local_date
    left join sleep_nights
        on dirty_days.user_id = sleep_nights.user_id
        and dirty_days.local_date = sleep_nights.night_date

),

bounds as (

    select
        days.user_id,
        days.local_date,
        days.is_worn_by_motion,
        days.is_sleep_unknown,
        cast(days.body_weight_g as double) as body_weight_g,
        cast(days.resting_bpm as double) as resting_bpm,
        days.highest_bpm * rules.moderate_heart_rate_pct / 100 as moderate_bpm,
        days.highest_bpm * rules.vigorous_heart_rate_pct / 100 as vigorous_bpm,
        days.resting_bpm + (days.highest_bpm - days.resting_bpm) * rules.sedentary_reserve_pct / 100 as sedentary_bpm,
        days.resting_bpm + rules.shaker_margin as shaker_bpm,
        case
            when days.resting_bpm + (days.highest_bpm - days.resting_bpm) * rules.keytel_reserve_pct / 100
                > rules.keytel_heart_rate_min
                then days.resting_bpm + (days.highest_bpm - days.resting_bpm) * rules.keytel_reserve_pct / 100
            else rules.keytel_heart_rate_min
        end as keytel_bpm,
        rules.keytel_heart_rate_min as keytel_workout_bpm,
        case days.sex
            when 'male' then (
                rules.keytel_male
                + rules.keytel_male_weight * days.body_weight_g / 1000
                + rules.keytel_male_age * days.age_years
            )
            when 'female' then (
                rules.keytel_female
                + rules.keytel_female_weight * days.body_weight_g / 1000
                + rules.keytel_female_age * days.age_years
            )
        end / rules.kilojoules_per_kcal as keytel_kcal,
        case days.sex
            when 'male' then rules.keytel_male_heart_rate
            when 'female' then rules.keytel_female_heart_rate
        end / rules.kilojoules_per_kcal as keytel_kcal_per_beat

    from days
    cross join rules

),

-- A workout may go on after midnight, so that the date after its own is one of its dates.
dated_workouts as (

    select
        user_id,
        local_date,
        start_at,
        end_at

    from workouts

    union all

    select
        user_id,
        local_date + 1 as local_date,
        start_at,
        end_at

    from workouts

),

-- A workout ends with the minute it ends in.
times_of_workouts as (

    select
        user_id,
        local_date,
        array_agg(cast(
            date_diff('minute', timestamptz '1970-01-01 00:00:00+00', start_at) as integer
        )) as workout_from_minutes,
        array_agg(cast(
            date_diff('minute', timestamptz '1970-01-01 00:00:00+00', end_at) + 1 as integer
        )) as workout_until_minutes

    from dated_workouts

    group by user_id, local_date

),

dates as (

    select
        bounds.*,
        stg_day_samples.heart_rate_minutes,
        stg_day_samples.heart_rate_sums_bpm,
        stg_day_samples.heart_rate_sample_counts,
        stg_day_samples.heart_rate_utc_offset_min,
        stg_day_samples.heart_rate_utc_offsets_min,
        stg_day_samples.step_minutes,
        stg_day_samples.step_counts,
        stg_day_samples.step_utc_offset_min,
        stg_day_samples.step_utc_offsets_min,
        stg_beds.bed_from_minutes,
        stg_beds.bed_until_minutes,
        times_of_workouts.workout_from_minutes,
        times_of_workouts.workout_until_minutes,
        rules.cadence_moderate,
        rules.cadence_vigorous,
        rules.recent_min,
        rules.moderate_points,
        rules.vigorous_points,
        rules.sitting_counted_pct,
        rules.prolonged_min,
        rules.long_min,
        rules.motion_still_min,
        rules.worn_stretch_min,
        rules.worn_stretch_max_min,
        rules.worn_spacing_pct,
        rules.met_light,
        rules.met_moderate,
        rules.met_vigorous,
        rules.implausible_cadence,
        rules.implausible_run_cadence,
        rules.implausible_run_min,
        rules.shaker_cadence,
        rules.shaker_run_min

    from stg_day_samples
    inner join bounds
        on stg_day_samples.user_id = bounds.user_id
        and stg_day_samples.local_date = bounds.local_date
    left join stg_beds
        on bounds.user_id = stg_beds.user_id
        and bounds.local_date = stg_beds.local_date
    left join times_of_workouts
        on bounds.user_id = times_of_workouts.user_id
        and bounds.local_date = times_of_workouts.local_date
    cross join rules

    where
        stg_day_samples.heart_rate_minutes is not null
        or stg_day_samples.step_minutes is not null

)

select * from dates
