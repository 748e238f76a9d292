-- medal_days: one row per person and calendar date: what of the day counts for medals, null where nothing does.
--
-- grain:    user_id, local_date
-- inputs:   user_days, profile_days, activity_days, sleep_nights, wear_days, device_days, stg_night_sources,
--           stg_illness_days, events, definitions
-- build:    table
-- lookback: person
-- reach:    person
-- source:   an invalid day or night is no data, neither a success nor a miss (product rule T5); native device data only
--           (medal rule M8); the goal that held on the day (product rule A6); a day whose clock moved by 3 h is a travel
--           day (medal rule M9)
-- audit:    step_count >= 0
-- audit:    step_goal >= 3000
-- audit:    main_sleep_min >= 0
-- audit:    worn_min >= 0
-- audit:    valid_day_count in (0, 1) and valid_night_count in (0, 1)
-- audit:    step_count is null or step_method is not null
-- audit:    main_sleep_min is null or sleep_method is not null
-- caution:  a goal of 0 is none, and the default counts; of a year of birth the birthday is taken to be 1 January; a summary
--           of several sleeps does not tell the main sleep, which is then null
-- method:   medal_days/1

with

people as (

    select distinct user_id

    from dirty_days

),

spine as (

    select
        user_days.user_id,
        user_days.local_date,
        user_days.is_valid_day,
        user_days.is_valid_night

    from user_days
    inner join people
        on user_days.user_id = people.user_id

),

rules as (

    select
        max(case when name = 'medal_step_goal_default' then value end) as step_goal_default,
        max(case when name = 'medal_step_goal_min' then value end) as step_goal_min,
        max(case when name = 'medal_adult_age' then value end) as adult_age,
        max(case when name = 'medal_sleep_adult_min' then value end) as sleep_adult_min,
        max(case when name = 'medal_teen_age' then value end) as teen_age,
        max(case when name = 'medal_sleep_teen_min' then value end) as sleep_teen_min,
        max(case when name = 'medal_travel_shift_min' then value end) as travel_shift_min,
        max(case when name = 'medal_travel_gap_days' then value end) as travel_gap_days

    from definitions

),

-- Where some of a date's samples are not the device's own, the best single device's own samples are the evidence: devices
-- are never summed.
native_days as (

    select
        device_days.user_id,
        device_days.local_date,
        max(device_days.native_step_count) as native_step_count,
        max(device_days.native_moderate_equivalent_min) as native_moderate_equivalent_min,
        max(case when device_days.has_other_steps then 1 else 0 end) as has_other_steps,
        max(case when device_days.has_other_intensity then 1 else 0 end) as has_other_intensity,
        max(case when device_days.has_other_heart_rate then 1 else 0 end) as has_other_heart_rate

    from device_days
    inner join people
        on device_days.user_id = people.user_id

    group by device_days.user_id, device_days.local_date

),

births_told as (

    select
        events.user_id,
        events.value as birth_year,
        row_number() over (
            partition by events.user_id
            order by events.start_at desc, events.device_id
        ) as recency_rank

    from events
    inner join people
        on events.user_id = people.user_id

    where
        events.kind = 'profile'
        and events.name = 'birth_year'
        and events.value > 0

),

births as (

    select
        user_id,
        birth_year

    from births_told

    where recency_rank = 1

),

-- Two records of one device that follow each other with different offsets: somewhere between them the clock moved.
device_clocks as (

    select
        device_days.user_id,
        device_days.local_date,
        device_days.first_utc_offset_min,
        device_days.utc_offset_range_min,
        lag(device_days.local_date) over (
            partition by device_days.user_id, device_days.device_id order by device_days.local_date
        ) as previous_date,
        lag(device_days.last_utc_offset_min) over (
            partition by device_days.user_id, device_days.device_id order by device_days.local_date
        ) as previous_utc_offset_min

    from device_days
    inner join people
        on device_days.user_id = people.user_id

),

travels as (

    select
        device_clocks.user_id,
        case
            when device_clocks.utc_offset_range_min >= rules.travel_shift_min
                then device_clocks.local_date
            when device_clocks.local_date - device_clocks.previous_date <= rules.travel_gap_days
                then device_clocks.previous_date
            else device_clocks.local_date
        end as first_date,
        device_clocks.local_date as last_date

    from device_clocks
    cross join rules

    where
        device_clocks.utc_offset_range_min >= rules.travel_shift_min
        or abs(device_clocks.first_utc_offset_min - device_clocks.previous_utc_offset_min) >= rules.travel_shift_min

),

travel_days as (

    select distinct
        spine.user_id,
        spine.local_date

    from spine
    inner join travels
        on spine.user_id = travels.user_id
        and spine.local_date between travels.first_date and travels.last_date

),

facts as (

    select
        spine.user_id,
        spine.local_date,
        spine.is_valid_day,
        spine.is_valid_day
        and case wear_days.wear_source
            when 'heart_rate' then coalesce(native_days.has_other_heart_rate, 0) = 0
            else coalesce(native_days.has_other_steps, 0) = 0
        end as is_native_day,
        spine.is_valid_night and coalesce(stg_night_sources.is_native, false) as is_native_night,
        case
            when native_days.has_other_steps = 1
                then least(activity_days.step_count, native_days.native_step_count)
            else activity_days.step_count
        end as step_count,
        case
            when native_days.has_other_intensity = 1 and native_days.native_moderate_equivalent_min is null
                then null
            when native_days.has_other_intensity = 1
                then least(activity_days.moderate_equivalent_min, native_days.native_moderate_equivalent_min)
            else activity_days.moderate_equivalent_min
        end as moderate_equivalent_min,
        case when native_days.has_other_steps = 1 and native_days.native_step_count is null then 1 else 0 end
            as has_no_native_steps,
        case
            when sleep_nights.source = 'segments' or sleep_nights.record_count = 1
                then sleep_nights.total_sleep_time_min
        end as main_sleep_min,
        case
            when
                case wear_days.wear_source
                    when 'heart_rate' then coalesce(native_days.has_other_heart_rate, 0)
                    else coalesce(native_days.has_other_steps, 0)
                end = 0
                then wear_days.worn_min
        end as worn_min,
        activity_days.method_version as step_method,
        sleep_nights.method_version as sleep_method,
        wear_days.method_version as wear_method

    from spine
    left join activity_days
        on spine.user_id = activity_days.user_id
        and spine.local_date = activity_days.local_date
    left join sleep_nights
        on spine.user_id = sleep_nights.user_id
        and spine.local_date = sleep_nights.night_date
    left join wear_days
        on spine.user_id = wear_days.user_id
        and spine.local_date = wear_days.local_date
    left join native_days
        on spine.user_id = native_days.user_id
        and spine.local_date = native_days.local_date
    left join stg_night_sources
        on sleep_nights.user_id = stg_night_sources.user_id
        and sleep_nights.night_date = stg_night_sources.local_date
        and sleep_nights.source = stg_night_sources.night_source

),

days as (

    select
        facts.user_id,                      -- person
        facts.local_date,                   -- the person's date
        case when facts.is_valid_day and facts.has_no_native_steps = 0 then facts.step_count end
            as step_count,                  -- steps of a valid day; null when the day is no evidence
        cast(greatest(coalesce(nullif(profile_days.step_count_goal, 0), rules.step_goal_default), rules.step_goal_min) as integer)
            as step_goal,                   -- steps that the person aimed at on this date; at least medal_step_goal_min
        case when facts.is_valid_day then facts.moderate_equivalent_min end
            as moderate_equivalent_min,     -- min, moderate + 2 x vigorous, of a valid day; null when no evidence
        case when facts.is_native_night then facts.main_sleep_min end
            as main_sleep_min,              -- min asleep in the main sleep of a valid night; null when no evidence
        cast(
            case
                when births.birth_year is null or year(facts.local_date) - births.birth_year >= rules.adult_age
                    then rules.sleep_adult_min
                when year(facts.local_date) - births.birth_year >= rules.teen_age
                    then rules.sleep_teen_min
            end as integer
        )
            as sleep_minimum_min,           -- min of sleep that the person's age asks for; null below medal_teen_age
        facts.worn_min,                     -- min worn by the device's own samples; null when unknown
        case when facts.is_native_day then 1 else 0 end
            as valid_day_count,             -- 1 when the day is valid by the device's own samples, else 0
        case when facts.is_native_night then 1 else 0 end
            as valid_night_count,           -- 1 when the night is valid by the device's own word, else 0
        travel_days.user_id is not null
            as is_travel_day,               -- the person's clock moved by medal_travel_shift_min or more
        stg_illness_days.user_id is not null
            as is_illness_day,              -- the person tagged the date as ill
        facts.step_method,                  -- formula of the steps and minutes; null when the date has no steps
        facts.sleep_method,                 -- formula of the sleep; null when no night ended on the date
        facts.wear_method,                  -- formula of the wear; null when nothing was measured
        'medal_days/1'
            as method_version               -- formula of this row

    from facts
    cross join rules
    left join profile_days
        on facts.user_id = profile_days.user_id
        and facts.local_date = profile_days.local_date
    left join births
        on facts.user_id = births.user_id
    left join travel_days
        on facts.user_id = travel_days.user_id
        and facts.local_date = travel_days.local_date
    left join stg_illness_days
        on facts.user_id = stg_illness_days.user_id
        and facts.local_date = stg_illness_days.local_date

)

select * from days
