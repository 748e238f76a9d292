-- blood_pressure_days: one row per person and local date with a blood pressure reading: the day, and the means of the last 30
-- days.
--
-- grain:    user_id, local_date
-- inputs:   stg_blood_pressure, definitions
-- build:    table
-- lookback: 29 days
-- reach:    29 days
-- source:   morning is 4 to 12, evening from 17 on; means of the last 30 days with how many readings and days they rest on
--           (product rule V3)
-- audit:    morning_count + evening_count <= reading_count
-- audit:    manual_count <= reading_count
-- audit:    window_day_count <= window_reading_count
-- audit:    systolic_mean_mmhg > diastolic_mean_mmhg
-- caution:  what a watch measures is cuffless: it follows its calibration and drifts from it; a single reading is a reading
--           and no state of health
-- method:   blood_pressure_days/1

with

rules as (

    select
        max(case when name = 'blood_pressure_morning_from_hour' then value end) as morning_from,
        max(case when name = 'blood_pressure_morning_until_hour' then value end) as morning_until,
        max(case when name = 'blood_pressure_evening_from_hour' then value end) as evening_from,
        max(case when name = 'blood_pressure_window_days' then value end) as window_days

    from definitions

),

timed_readings as (

    select
        stg_blood_pressure.user_id,
        stg_blood_pressure.local_date,
        stg_blood_pressure.systolic_mmhg,
        stg_blood_pressure.diastolic_mmhg,
        case when stg_blood_pressure.source_rank = 3 then 1 else 0 end as is_manual,
        case
            when stg_blood_pressure.local_hour >= rules.evening_from then 'evening'
            when stg_blood_pressure.local_hour >= rules.morning_from
                and stg_blood_pressure.local_hour < rules.morning_until then 'morning'
        end as time_of_day

    from stg_blood_pressure
    cross join rules

),

day_sums as (

    select
        user_id,
        local_date,
        count(*) as reading_count,
        sum(is_manual) as manual_count,
        sum(systolic_mmhg) as systolic_sum,
        sum(diastolic_mmhg) as diastolic_sum,
        sum(case when time_of_day = 'morning' then 1 else 0 end) as morning_count,
        sum(case when time_of_day = 'morning' then systolic_mmhg else 0 end) as morning_systolic_sum,
        sum(case when time_of_day = 'morning' then diastolic_mmhg else 0 end) as morning_diastolic_sum,
        sum(case when time_of_day = 'evening' then 1 else 0 end) as evening_count,
        sum(case when time_of_day = 'evening' then systolic_mmhg else 0 end) as evening_systolic_sum,
        sum(case when time_of_day = 'evening' then diastolic_mmhg else 0 end) as evening_diastolic_sum

    from timed_readings

    group by user_id, local_date

),

today as (

    select day_sums.*

    from day_sums
    inner join dirty_days
        on day_sums.user_id = dirty_days.user_id
        and day_sums.local_date = dirty_days.local_date

),

window_sums as (

    select
        today.user_id,
        today.local_date,
        sum(before.reading_count) as reading_count,
        count(*) as day_count,
        sum(before.systolic_sum) as systolic_sum,
        sum(before.diastolic_sum) as diastolic_sum,
        sum(before.morning_count) as morning_count,
        sum(before.morning_systolic_sum) as morning_systolic_sum,
        sum(before.morning_diastolic_sum) as morning_diastolic_sum,
        sum(case when before.morning_count > 0 then 1 else 0 end) as morning_day_count,
        sum(before.evening_count) as evening_count,
        sum(before.evening_systolic_sum) as evening_systolic_sum,
        sum(before.evening_diastolic_sum) as evening_diastolic_sum,
        sum(case when before.evening_count > 0 then 1 else 0 end) as evening_day_count

    from today
    cross join rules
    inner join day_sums as before
        on today.user_id = before.user_id
        and before.local_date <= today.local_date
        and before.local_date > today.local_date - cast(rules.window_days as integer)

    group by today.user_id, today.local_date

),

days as (

    select
        today.user_id,                  -- person
        today.local_date,               -- the person's date
        cast(today.reading_count as integer)
            as reading_count,           -- readings of the date
        cast(today.manual_count as integer)
            as manual_count,            -- of them typed by a person; the others came from a device
        cast(today.morning_count as integer)
            as morning_count,           -- readings from 4 to 12
        cast(today.evening_count as integer)
            as evening_count,           -- readings from 17 on
        cast(today.systolic_sum as double) / today.reading_count
            as systolic_mean_mmhg,      -- mmHg, mean of the date
        cast(today.diastolic_sum as double) / today.reading_count
            as diastolic_mean_mmhg,     -- mmHg, mean of the date
        cast(window_sums.reading_count as integer)
            as window_reading_count,    -- readings of the last 30 days
        cast(window_sums.day_count as integer)
            as window_day_count,        -- days of the last 30 with a reading
        cast(window_sums.systolic_sum as double) / window_sums.reading_count
            as window_systolic_mean_mmhg,   -- mmHg, mean of the last 30 days
        cast(window_sums.diastolic_sum as double) / window_sums.reading_count
            as window_diastolic_mean_mmhg,  -- mmHg, mean of the last 30 days
        cast(window_sums.morning_count as integer)
            as window_morning_count,    -- morning readings of the last 30 days
        cast(window_sums.morning_day_count as integer)
            as window_morning_day_count,    -- days they are from
        cast(window_sums.morning_systolic_sum as double) / nullif(window_sums.morning_count, 0)
            as window_morning_systolic_mean_mmhg,   -- mmHg, mean of the mornings
        cast(window_sums.morning_diastolic_sum as double) / nullif(window_sums.morning_count, 0)
            as window_morning_diastolic_mean_mmhg,  -- mmHg, mean of the mornings
        cast(window_sums.evening_count as integer)
            as window_evening_count,    -- evening readings of the last 30 days
        cast(window_sums.evening_day_count as integer)
            as window_evening_day_count,    -- days they are from
        cast(window_sums.evening_systolic_sum as double) / nullif(window_sums.evening_count, 0)
            as window_evening_systolic_mean_mmhg,   -- mmHg, mean of the evenings
        cast(window_sums.evening_diastolic_sum as double) / nullif(window_sums.evening_count, 0)
            as window_evening_diastolic_mean_mmhg,  -- mmHg, mean of the evenings
        'blood_pressure_days/1'
            as method_version           -- formula of this row

    from today
    inner join window_sums
        on today.user_id = window_sums.user_id
        and today.local_date = window_sums.local_date

)

select * from days
