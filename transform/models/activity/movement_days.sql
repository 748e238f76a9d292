-- movement_days: one row per person and local date with a step or heart-rate sample: how the person moved and sat, what it
-- took, and whether it met the goals of that day.
--
-- grain:    user_id, local_date
-- inputs:   activity_hours, activity_days, profile_days, user_days, definitions
-- build:    table
-- source:   cardio points, bouts and energy beyond rest as activity_hours says; active hours of worn waking hours after
--           product rule A5; distance by the device, and steps x stride of the person's height in minutes without one
--           (methods 3.1); energy and classes by the device when four in five of the day's steps are in minutes for which
--           it tells them, else as activity_hours says; energy at rest after Mifflin-St Jeor 1990 (E047); a goal is that of
--           its day and judged on a valid day only (product rule A6)
-- audit:    active_hour_count <= worn_hour_count
-- audit:    distance_source in ('device', 'height', 'both')
-- audit:    (distance_m is null) = (distance_source is null)
-- audit:    active_energy_source in ('device', 'estimate')
-- audit:    (active_energy_kcal is null) = (active_energy_source is null)
-- audit:    total_energy_kcal >= resting_energy_kcal
-- audit:    long_bout_count <= prolonged_bout_count
-- caution:  energy is an estimate and no measurement: devices of all makers err by a quarter and more, and energy at rest is
--           that of the whole date; height alone misses a person's stride by a tenth; without a profile there is no
--           distance, no energy and no goal, never those of somebody average
-- method:   movement_days/1

with

rules as (

    select
        max(case when name = 'active_hour_step_count' then value end) as active_step_count,
        max(case when name = 'worn_hour_min' then value end) as worn_hour_min,
        max(case when name = 'device_steps_min_pct' then value end) as device_steps_pct,
        max(case when name = 'vigorous_minute_weight' then value end) as vigorous_weight,
        max(case when name = 'stride_height_male_pct' then value end) as stride_male_pct,
        max(case when name = 'stride_height_female_pct' then value end) as stride_female_pct,
        max(case when name = 'mifflin_weight' then value end) as mifflin_weight,
        max(case when name = 'mifflin_height' then value end) as mifflin_height,
        max(case when name = 'mifflin_age' then value end) as mifflin_age,
        max(case when name = 'mifflin_male' then value end) as mifflin_male,
        max(case when name = 'mifflin_female' then value end) as mifflin_female

    from definitions

),

hours as (

    select
        activity_hours.*,
        activity_hours.step_count >= rules.active_step_count and activity_hours.worn_awake_min > 0 as is_active,
        activity_hours.worn_awake_min >= rules.worn_hour_min as is_worn

    from activity_hours
    inner join dirty_days
        on activity_hours.user_id = dirty_days.user_id
        and activity_hours.local_date = dirty_days.local_date
    cross join rules

),

hour_sums as (

    select
        user_id,
        local_date,
        sum(step_count) as step_count,
        sum(moderate_cardio_min) as moderate_cardio_min,
        sum(vigorous_cardio_min) as vigorous_cardio_min,
        sum(cardio_points) as cardio_points,
        sum(worn_awake_min) as worn_awake_min,
        sum(sedentary_awake_min) as sedentary_awake_min,
        max(longest_sedentary_bout_min) as longest_sedentary_bout_min,
        sum(prolonged_bout_count) as prolonged_bout_count,
        sum(prolonged_bout_min) as prolonged_bout_min,
        sum(long_bout_count) as long_bout_count,
        sum(sedentary_break_count) as sedentary_break_count,
        sum(case when is_active or is_worn then 1 when worn_awake_min is not null then 0 end) as worn_hour_count,
        sum(case when is_active then 1 when worn_awake_min is not null and step_count is not null then 0 end)
            as active_hour_count,
        sum(active_energy_cal) as active_energy_cal,
        sum(heart_energy_min) as heart_energy_min

    from hours

    group by user_id, local_date

),

judged_days as (

    select
        hour_sums.*,
        cast(activity_days.distance_cm as double) / 100 as device_distance_m,
        activity_days.floor_count,
        activity_days.active_energy_cal as device_active_energy_cal,
        activity_days.moderate_equivalent_min as device_equivalent_min,
        100 * activity_days.distance_step_count >= rules.device_steps_pct * hour_sums.step_count as is_distance_told,
        100 * activity_days.active_energy_step_count >= rules.device_steps_pct * hour_sums.step_count as is_energy_told,
        100 * activity_days.intensity_step_count >= rules.device_steps_pct * hour_sums.step_count as is_intensity_told,
        profile_days.step_count_goal,
        profile_days.active_goal_min,
        profile_days.active_hour_count_goal,
        coalesce(user_days.is_valid_day, false) as is_valid_day,
        hour_sums.moderate_cardio_min + rules.vigorous_weight * hour_sums.vigorous_cardio_min as cardio_equivalent_min,
        -- Of the steps in minutes without a distance.
        (hour_sums.step_count - coalesce(activity_days.distance_step_count, 0)) * profile_days.body_height_mm
        * case profile_days.sex
            when 'male' then rules.stride_male_pct
            when 'female' then rules.stride_female_pct
        end / 100000 as stride_distance_m,
        rules.mifflin_weight * profile_days.body_weight_g / 1000
        + rules.mifflin_height * profile_days.body_height_mm / 10
        - rules.mifflin_age * profile_days.age_years
        + case profile_days.sex
            when 'male' then rules.mifflin_male
            when 'female' then rules.mifflin_female
        end as resting_energy_kcal

    from hour_sums
    cross join rules
    left join activity_days
        on hour_sums.user_id = activity_days.user_id
        and hour_sums.local_date = activity_days.local_date
    left join profile_days
        on hour_sums.user_id = profile_days.user_id
        and hour_sums.local_date = profile_days.local_date
    left join user_days
        on hour_sums.user_id = user_days.user_id
        and hour_sums.local_date = user_days.local_date

),

measured_days as (

    select
        judged_days.*,
        case when is_intensity_told then cast(device_equivalent_min as double) else cardio_equivalent_min end as equivalent_min,
        cast(case when is_energy_told then device_active_energy_cal else active_energy_cal end as double) / 1000
            as either_active_energy_kcal

    from judged_days

),

days as (

    select
        user_id,                        -- person
        local_date,                     -- the person's date
        is_valid_day,                   -- worn 10 h awake
        cast(moderate_cardio_min as integer)
            as moderate_cardio_min,     -- min moderate by cadence or heart rate, whichever says more
        cast(vigorous_cardio_min as integer)
            as vigorous_cardio_min,     -- min vigorous by cadence or heart rate
        cast(cardio_points as integer)
            as cardio_points,           -- points, moderate 1 and vigorous 2 a minute
        cast(equivalent_min as integer)
            as active_equivalent_min,   -- min, moderate + 2 x vigorous: the device's classes when they tell most of the day, else by cadence and heart rate
        cast(worn_awake_min as integer)
            as worn_awake_min,          -- min worn and not in bed; null when only the sums of the night are known
        cast(sedentary_awake_min as integer)
            as sedentary_awake_min,     -- min of them sedentary; null when the device does not tell who sat
        cast(longest_sedentary_bout_min as integer)
            as longest_sedentary_bout_min,  -- min, longest bout of the day; null without one
        cast(prolonged_bout_count as integer)
            as prolonged_bout_count,    -- bouts of at least 30 min; null where sedentary_awake_min is
        cast(prolonged_bout_min as integer)
            as prolonged_bout_min,      -- min in them; null where sedentary_awake_min is
        cast(long_bout_count as integer)
            as long_bout_count,         -- bouts of at least 60 min; null where sedentary_awake_min is
        cast(sedentary_break_count as integer)
            as sedentary_break_count,   -- bouts broken off by movement; null where sedentary_awake_min is
        cast(active_hour_count as integer)
            as active_hour_count,       -- worn waking hours with at least 250 steps
        cast(worn_hour_count as integer)
            as worn_hour_count,         -- worn waking hours
        case
            when device_distance_m is null then stride_distance_m
            when stride_distance_m is not null then device_distance_m + stride_distance_m
            when is_distance_told then device_distance_m
        end
            as distance_m,              -- m on foot; null when the device does not tell most of it and height or sex is not known
        case
            when is_distance_told then 'device'
            when device_distance_m is not null and stride_distance_m is not null then 'both'
            when stride_distance_m is not null then 'height'
        end
            as distance_source,         -- device: of four in five steps; height: steps x stride of the height; both
        floor_count,                    -- floors climbed, by the device
        resting_energy_kcal,            -- kcal of the whole date at rest
        either_active_energy_kcal
            as active_energy_kcal,      -- kcal beyond rest, by the device when it tells most of the day, else estimated
        case
            when is_energy_told then 'device'
            when active_energy_cal is not null then 'estimate'
        end
            as active_energy_source,    -- device, or estimate: by MET and, within its gate, by heart rate
        cast(heart_energy_min as integer)
            as heart_energy_min,        -- min of the estimate that rest on heart rate
        resting_energy_kcal + either_active_energy_kcal
            as total_energy_kcal,       -- kcal, at rest and beyond
        step_count_goal,                -- steps, the goal of that day
        case when is_valid_day then step_count >= step_count_goal end
            as is_step_goal_met,        -- null without a goal or on a day that is not valid
        active_goal_min,                -- min, the goal of that day
        case when is_valid_day then equivalent_min >= active_goal_min end
            as is_active_goal_met,      -- null without a goal or on a day that is not valid
        active_hour_count_goal,         -- hours, the goal of that day
        case when is_valid_day then active_hour_count >= active_hour_count_goal end
            as is_active_hour_goal_met, -- null without a goal or on a day that is not valid
        'movement_days/1'
            as method_version           -- formula of this row

    from measured_days

)

select * from days
