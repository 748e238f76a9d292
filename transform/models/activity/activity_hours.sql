-- activity_hours: one row per person, local date and hour on the person's clock with a step or heart-rate sample: how the
-- hour was spent, awake and with the watch on.
--
-- grain:    user_id, local_date, local_hour
-- inputs:   stg_minutes, in_bed_days, sleep_nights, wear_days, profile_days, resting_heart_rate_days, definitions
-- build:    table
-- source:   cadence classes after CADENCE-Adults; a moderate or vigorous minute by cadence or by heart rate, whichever says
--           more (methods 3.2, E058); sedentary is awake, worn, without a step and below resting heart rate + 20 % of the
--           reserve (E084); energy beyond rest by MET (E048), or by Keytel 2005 within its gate (E049); what is not
--           believed after methods 5.7
-- audit:    local_hour between 0 and 23
-- audit:    worn_awake_min between 0 and 1440
-- audit:    sedentary_awake_min <= worn_awake_min
-- audit:    longest_sedentary_bout_min >= prolonged_bout_count
-- audit:    cardio_points >= moderate_cardio_min + vigorous_cardio_min
-- audit:    long_bout_count <= prolonged_bout_count
-- caution:  a wrist cannot tell sitting from standing; a bout counts in the hour it begins in and ends at midnight; worn is
--           five minutes of the clock with a heart-rate sample, or, on a day without heart rate, no 90 min without a step;
--           when only the sums of a night are known, awake is not, and what needs it is null; a fast heart looks back for
--           steps to midnight at most; figures by heart rate need an age, energy needs weight too
-- method:   activity_hours/1

with

rules as (

    select
        max(case when name = 'cadence_moderate_per_min' then value end) as cadence_moderate,
        max(case when name = 'cadence_vigorous_per_min' then value end) as cadence_vigorous,
        max(case when name = 'max_heart_rate_at_birth_bpm' then value end) as max_heart_rate_at_birth,
        max(case when name = 'max_heart_rate_per_year_bpm' then value end) as max_heart_rate_per_year,
        max(case when name = 'cardio_moderate_heart_rate_pct' then value end) as moderate_heart_rate_pct,
        max(case when name = 'cardio_vigorous_heart_rate_pct' then value end) as vigorous_heart_rate_pct,
        max(case when name = 'cardio_recent_step_min' then value end) as recent_step_min,
        max(case when name = 'cardio_moderate_points' then value end) as moderate_points,
        max(case when name = 'cardio_vigorous_points' then value end) as vigorous_points,
        max(case when name = 'sedentary_heart_rate_reserve_pct' then value end) as sedentary_reserve_pct,
        max(case when name = 'sedentary_prolonged_min' then value end) as prolonged_min,
        max(case when name = 'sedentary_long_min' then value end) as long_min,
        max(case when name = 'motion_still_min' then value end) as motion_still_min,
        max(case when name = 'worn_stretch_min' then value end) as worn_stretch_min,
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

-- What is known of each person on each date; what is not known is null, and so is all that needs it. The number stands
-- for the person and the date in everything that is done by the minute.
days as (

    select
        row_number() over (order by dirty_days.user_id, dirty_days.local_date) as day_number,
        dirty_days.user_id,
        dirty_days.local_date,
        profile_days.sex,
        profile_days.age_years,
        profile_days.body_weight_g,
        resting_heart_rate_days.resting_heart_rate_bpm as resting_bpm,
        coalesce(
            profile_days.heart_rate_max_bpm,
            rules.max_heart_rate_at_birth - rules.max_heart_rate_per_year * profile_days.age_years
        ) as highest_bpm,
        coalesce(wear_days.wear_source = 'motion', false) as is_worn_by_motion,
        coalesce(sleep_nights.source = 'summary', false) as is_sleep_unknown

    from dirty_days
    left join profile_days
        on dirty_days.user_id = profile_days.user_id
        and dirty_days.local_date = profile_days.local_date
    left join resting_heart_rate_days
        on dirty_days.user_id = resting_heart_rate_days.user_id
        and dirty_days.local_date = resting_heart_rate_days.local_date
    left join wear_days
        on dirty_days.user_id = wear_days.user_id
        and dirty_days.local_date = wear_days.local_date
    left join sleep_nights
        on dirty_days.user_id = sleep_nights.user_id
        and dirty_days.local_date = sleep_nights.night_date
    cross join rules

),

bounds as (

    select
        days.day_number,
        days.is_worn_by_motion,
        days.is_sleep_unknown,
        days.body_weight_g,
        days.resting_bpm,
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

minutes as (

    select
        days.day_number,
        cast(stg_minutes.minute_number as bigint) as minute_number,
        cast(floor(stg_minutes.local_minute / 60) as integer) as local_hour,
        stg_minutes.step_count,
        cast(stg_minutes.heart_rate_sum_bpm as double) / stg_minutes.heart_rate_sample_count as heart_rate_bpm

    from stg_minutes
    inner join days
        on stg_minutes.user_id = days.user_id
        and stg_minutes.local_date = days.local_date

    where
        stg_minutes.step_count is not null
        or stg_minutes.heart_rate_sample_count is not null

),

beds as (

    select
        days.day_number,
        in_bed_days.from_minute,
        in_bed_days.until_minute

    from in_bed_days
    inner join days
        on in_bed_days.user_id = days.user_id
        and in_bed_days.local_date = days.local_date

),

worn_stretches as (

    select distinct
        minutes.day_number,
        floor(minutes.minute_number / rules.worn_stretch_min) as stretch_number

    from minutes
    cross join rules

    where minutes.heart_rate_bpm is not null

),

-- By steps alone a minute is none, light, moderate or vigorous: 0 to 3. By heart rate it is moderate or vigorous when it
-- is not in bed and, later, when there was a step within the last minutes.
classed_minutes as (

    select
        minutes.day_number,
        minutes.minute_number,
        minutes.local_hour,
        minutes.step_count,
        minutes.heart_rate_bpm,
        case
            when minutes.step_count >= rules.cadence_vigorous then 3
            when minutes.step_count >= rules.cadence_moderate then 2
            when minutes.step_count > 0 then 1
            when minutes.step_count = 0 then 0
        end as cadence_class,
        case
            when beds.day_number is not null then 0
            when minutes.heart_rate_bpm >= bounds.vigorous_bpm then 3
            when minutes.heart_rate_bpm >= bounds.moderate_bpm then 2
            else 0
        end as heart_class,
        (worn_stretches.day_number is not null or bounds.is_worn_by_motion)
        and beds.day_number is null
        and not bounds.is_sleep_unknown as is_worn_awake,
        (worn_stretches.day_number is not null or bounds.is_worn_by_motion)
        and beds.day_number is null
        and not bounds.is_sleep_unknown
        and coalesce(minutes.step_count = 0, false)
        and coalesce(minutes.heart_rate_bpm < bounds.sedentary_bpm, true) as is_sedentary,
        coalesce(minutes.step_count > rules.implausible_cadence, false) as is_implausible,
        coalesce(minutes.step_count > rules.implausible_run_cadence, false) as is_too_fast,
        coalesce(
            minutes.step_count >= rules.shaker_cadence and minutes.heart_rate_bpm < bounds.shaker_bpm, false
        ) as is_shaken,
        bounds.keytel_kcal + bounds.keytel_kcal_per_beat * minutes.heart_rate_bpm as heart_kcal,
        bounds.keytel_kcal + bounds.keytel_kcal_per_beat * bounds.resting_bpm as resting_kcal,
        coalesce(minutes.heart_rate_bpm >= bounds.keytel_bpm, false)
        and beds.day_number is null as is_within_keytel

    from minutes
    inner join bounds
        on minutes.day_number = bounds.day_number
    cross join rules
    left join beds
        on minutes.day_number = beds.day_number
        and minutes.minute_number >= beds.from_minute
        and minutes.minute_number < beds.until_minute
    left join worn_stretches
        on minutes.day_number = worn_stretches.day_number
        and floor(minutes.minute_number / rules.worn_stretch_min) = worn_stretches.stretch_number

),

-- A fast heart counts after a step: beside the fast hearts stand the steps, and each sees the last step before it.
hearts_and_steps as (

    select
        day_number,
        minute_number,
        local_hour,
        cadence_class,
        heart_class,
        heart_kcal,
        resting_kcal,
        is_within_keytel,
        heart_class > coalesce(cadence_class, 0) or is_within_keytel as is_fast,
        max(case when step_count > 0 then minute_number end) over (
            partition by day_number
            order by minute_number
            rows unbounded preceding
        ) as last_step_minute

    from classed_minutes

    where
        step_count > 0
        or heart_class > coalesce(cadence_class, 0)
        or is_within_keytel

),

fast_minutes as (

    select
        hearts_and_steps.day_number,
        hearts_and_steps.local_hour,
        hearts_and_steps.cadence_class,
        hearts_and_steps.heart_class,
        case
            when hearts_and_steps.is_within_keytel
                then cast(round(1000 * (hearts_and_steps.heart_kcal - hearts_and_steps.resting_kcal)) as bigint)
        end as heart_cal

    from hearts_and_steps
    cross join rules

    where
        hearts_and_steps.is_fast
        and hearts_and_steps.minute_number - hearts_and_steps.last_step_minute <= rules.recent_step_min

),

-- What the heart adds to the hour, and what of the steps it stands in for.
heart_hours as (

    select
        day_number,
        local_hour,
        count(case when heart_class = 2 and coalesce(cadence_class, 0) < 2 then 1 end) as moderate_gained_min,
        count(case when heart_class = 3 and cadence_class = 2 then 1 end) as moderate_lost_min,
        count(case when heart_class = 3 and coalesce(cadence_class, 0) < 3 then 1 end) as vigorous_gained_min,
        sum(heart_cal) as heart_cal,
        count(heart_cal) as energy_min,
        count(case when heart_cal is not null and cadence_class is not null then 1 end) as step_energy_min,
        count(case when heart_cal is not null and cadence_class = 1 then 1 end) as light_energy_min,
        count(case when heart_cal is not null and cadence_class = 2 then 1 end) as moderate_energy_min,
        count(case when heart_cal is not null and cadence_class = 3 then 1 end) as vigorous_energy_min

    from fast_minutes

    group by day_number, local_hour

),

-- Minutes that follow each other have the same difference between their number and their place.
sedentary_places as (

    select
        day_number,
        minute_number,
        local_hour,
        minute_number - row_number() over (partition by day_number order by minute_number) as run_number

    from classed_minutes

    where is_sedentary

),

sedentary_runs as (

    select
        day_number,
        min(minute_number) as first_minute,
        max(minute_number) as last_minute,
        min(minute_number * 24 + local_hour) % 24 as first_hour,
        count(*) as bout_min

    from sedentary_places

    group by day_number, run_number

),

-- By motion alone, so long without a step is a watch on a table.
judged_runs as (

    select
        sedentary_runs.*,
        bounds.is_worn_by_motion and sedentary_runs.bout_min >= rules.motion_still_min as is_on_a_table

    from sedentary_runs
    inner join bounds
        on sedentary_runs.day_number = bounds.day_number
    cross join rules

),

table_hours as (

    select
        sedentary_places.day_number,
        sedentary_places.local_hour,
        count(*) as table_min

    from sedentary_places
    inner join judged_runs
        on sedentary_places.day_number = judged_runs.day_number
        and sedentary_places.minute_number between judged_runs.first_minute and judged_runs.last_minute

    where judged_runs.is_on_a_table

    group by sedentary_places.day_number, sedentary_places.local_hour

),

bouts as (

    select
        day_number,
        last_minute,
        first_hour,
        bout_min,
        max(last_minute) over (partition by day_number) as last_of_day

    from judged_runs

    where not is_on_a_table

),

-- A bout is broken off when the very next minute is worn, awake and not sedentary, and another bout follows.
breaks as (

    select
        bouts.day_number,
        bouts.first_hour,
        count(*) as break_count

    from bouts
    inner join classed_minutes
        on bouts.day_number = classed_minutes.day_number
        and bouts.last_minute + 1 = classed_minutes.minute_number

    where
        bouts.last_minute < bouts.last_of_day
        and classed_minutes.is_worn_awake
        and classed_minutes.step_count is not null

    group by bouts.day_number, bouts.first_hour

),

bout_hours as (

    select
        bouts.day_number,
        bouts.first_hour,
        max(bouts.bout_min) as longest_bout_min,
        sum(case when bouts.bout_min >= rules.prolonged_min then 1 else 0 end) as prolonged_bout_count,
        sum(case when bouts.bout_min >= rules.prolonged_min then bouts.bout_min else 0 end) as prolonged_bout_min,
        sum(case when bouts.bout_min >= rules.long_min then 1 else 0 end) as long_bout_count

    from bouts
    cross join rules

    group by bouts.day_number, bouts.first_hour

),

-- Steps that no legs make, and steps without a pulse: few minutes on few days.
doubtful_minutes as (

    select
        day_number,
        minute_number,
        local_hour,
        'fast' as doubt

    from classed_minutes

    where is_too_fast

    union all

    select
        day_number,
        minute_number,
        local_hour,
        'shaken' as doubt

    from classed_minutes

    where is_shaken

),

doubtful_places as (

    select
        day_number,
        local_hour,
        doubt,
        minute_number - row_number() over (partition by day_number, doubt order by minute_number) as run_number

    from doubtful_minutes

),

doubtful_runs as (

    select
        day_number,
        local_hour,
        doubt,
        count(*) over (partition by day_number, doubt, run_number) as run_min

    from doubtful_places

),

doubtful_hours as (

    select
        doubtful_runs.day_number,
        doubtful_runs.local_hour,
        sum(
            case when doubtful_runs.doubt = 'fast' and doubtful_runs.run_min >= rules.implausible_run_min then 1 else 0 end
        ) as implausible_run_min,
        sum(
            case when doubtful_runs.doubt = 'shaken' and doubtful_runs.run_min >= rules.shaker_run_min then 1 else 0 end
        ) as shaker_min

    from doubtful_runs
    cross join rules

    group by doubtful_runs.day_number, doubtful_runs.local_hour

),

minute_hours as (

    select
        classed_minutes.day_number,
        classed_minutes.local_hour,
        sum(classed_minutes.step_count) as step_count,
        count(classed_minutes.step_count) as observed_min,
        count(classed_minutes.heart_rate_bpm) as measured_min,
        count(case when classed_minutes.cadence_class = 1 then 1 end) as light_min,
        count(case when classed_minutes.cadence_class = 2 then 1 end) as moderate_min,
        count(case when classed_minutes.cadence_class = 3 then 1 end) as vigorous_min,
        count(case when classed_minutes.is_worn_awake then 1 end) as worn_awake_min,
        count(case when classed_minutes.is_sedentary then 1 end) as sedentary_min,
        count(case when classed_minutes.is_implausible then 1 end) as implausible_min

    from classed_minutes

    group by classed_minutes.day_number, classed_minutes.local_hour

),

hour_sums as (

    select
        minute_hours.*,
        minute_hours.observed_min > 0
        or heart_hours.moderate_gained_min + heart_hours.vigorous_gained_min > 0 as is_classed,
        minute_hours.moderate_min
        + coalesce(heart_hours.moderate_gained_min - heart_hours.moderate_lost_min, 0) as moderate_cardio_min,
        minute_hours.vigorous_min + coalesce(heart_hours.vigorous_gained_min, 0) as vigorous_cardio_min,
        coalesce(cast(heart_hours.heart_cal as bigint), 0) as heart_cal,
        coalesce(heart_hours.energy_min, 0) as heart_energy_min,
        minute_hours.observed_min - coalesce(heart_hours.step_energy_min, 0) as step_energy_min,
        minute_hours.light_min - coalesce(heart_hours.light_energy_min, 0) as light_energy_min,
        minute_hours.moderate_min - coalesce(heart_hours.moderate_energy_min, 0) as moderate_energy_min,
        minute_hours.vigorous_min - coalesce(heart_hours.vigorous_energy_min, 0) as vigorous_energy_min,
        coalesce(table_hours.table_min, 0) as table_min

    from minute_hours
    left join heart_hours
        on minute_hours.day_number = heart_hours.day_number
        and minute_hours.local_hour = heart_hours.local_hour
    left join table_hours
        on minute_hours.day_number = table_hours.day_number
        and minute_hours.local_hour = table_hours.local_hour

),

hours as (

    select
        days.user_id,                   -- person
        days.local_date,                -- the person's date
        hour_sums.local_hour,        -- 0 to 23 on the person's clock; the hour that comes twice is one
        cast(hour_sums.step_count as bigint)
            as step_count,              -- steps; null when none were counted
        cast(hour_sums.observed_min as integer)
            as observed_min,            -- min with a step sample
        cast(hour_sums.measured_min as integer)
            as measured_min,            -- min with a heart-rate sample
        cast(case when hour_sums.observed_min > 0 then hour_sums.light_min end as integer)
            as cadence_light_min,       -- min of 1 to 99 steps; null without steps
        cast(case when hour_sums.observed_min > 0 then hour_sums.moderate_min end as integer)
            as cadence_moderate_min,    -- min of 100 to 129 steps; null without steps
        cast(case when hour_sums.observed_min > 0 then hour_sums.vigorous_min end as integer)
            as cadence_vigorous_min,    -- min of 130 steps or more; null without steps
        cast(case when hour_sums.is_classed then hour_sums.moderate_cardio_min end as integer)
            as moderate_cardio_min,     -- min moderate by cadence or heart rate, whichever says more
        cast(case when hour_sums.is_classed then hour_sums.vigorous_cardio_min end as integer)
            as vigorous_cardio_min,     -- min vigorous by cadence or heart rate
        cast(
            case
                when hour_sums.is_classed
                    then hour_sums.moderate_cardio_min * rules.moderate_points
                        + hour_sums.vigorous_cardio_min * rules.vigorous_points
            end
            as integer
        )
            as cardio_points,           -- points, moderate 1 and vigorous 2 a minute
        cast(
            case when not days.is_sleep_unknown then hour_sums.worn_awake_min - hour_sums.table_min end as integer
        )
            as worn_awake_min,          -- min worn and not in bed; null when only the sums of the night are known
        cast(
            case
                when hour_sums.observed_min > 0 and not days.is_sleep_unknown
                    then hour_sums.sedentary_min - hour_sums.table_min
            end
            as integer
        )
            as sedentary_awake_min,     -- min of them sedentary; null without steps
        cast(bout_hours.longest_bout_min as integer)
            as longest_sedentary_bout_min,  -- min, the longest bout that began in the hour; null when none did
        cast(coalesce(bout_hours.prolonged_bout_count, 0) as integer)
            as prolonged_bout_count,    -- bouts of at least 30 min that began in the hour
        cast(coalesce(bout_hours.prolonged_bout_min, 0) as integer)
            as prolonged_bout_min,      -- min in them
        cast(coalesce(bout_hours.long_bout_count, 0) as integer)
            as long_bout_count,         -- bouts of at least 60 min that began in the hour
        cast(coalesce(breaks.break_count, 0) as integer)
            as sedentary_break_count,   -- bouts that began in the hour and were broken off by movement before the day's last
        -- 1 kcal per kg and hour for each MET beyond the one of rest, or what the heart says where it may.
        case when hour_sums.heart_energy_min + hour_sums.step_energy_min > 0
            then hour_sums.heart_cal + cast(round(
                days.body_weight_g * (
                    hour_sums.light_energy_min * (rules.met_light - 1)
                    + hour_sums.moderate_energy_min * (rules.met_moderate - 1)
                    + hour_sums.vigorous_energy_min * (rules.met_vigorous - 1)
                ) / 60
            ) as bigint)
        end
            as active_energy_cal,       -- cal beyond rest, estimated; 1000 cal = 1 kcal; null without weight
        cast(
            case when days.body_weight_g is not null then hour_sums.heart_energy_min + hour_sums.step_energy_min end
            as integer
        )
            as active_energy_min,       -- min it was estimated over; null without weight
        cast(hour_sums.heart_energy_min as integer)
            as heart_energy_min,        -- min of them estimated by heart rate
        cast(hour_sums.implausible_min as integer)
            as implausible_min,         -- min of more steps than legs make
        cast(coalesce(doubtful_hours.implausible_run_min, 0) as integer)
            as implausible_run_min,     -- min within ten on end of more than 220 steps
        cast(coalesce(doubtful_hours.shaker_min, 0) as integer)
            as shaker_min,              -- min within ten on end of many steps at a resting pulse
        'activity_hours/1'
            as method_version           -- formula of this row

    from hour_sums
    inner join days
        on hour_sums.day_number = days.day_number
    cross join rules
    left join bout_hours
        on hour_sums.day_number = bout_hours.day_number
        and hour_sums.local_hour = bout_hours.first_hour
    left join breaks
        on hour_sums.day_number = breaks.day_number
        and hour_sums.local_hour = breaks.first_hour
    left join doubtful_hours
        on hour_sums.day_number = doubtful_hours.day_number
        and hour_sums.local_hour = doubtful_hours.local_hour

)

select * from hours
