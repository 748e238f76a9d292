-- blood_pressure_ranges: one row per person, local date and scheme when the last 30 days have enough readings to name a range.
--
-- grain:    user_id, local_date, scheme
-- inputs:   blood_pressure_days, definitions
-- build:    table
-- source:   AHA/ACC 2017, kept 2025, and ESC 2024 at home, of the means of at least 7 readings on at least 3 of the last 30
--           days; the range is the worse of both values (methods 4.2, product rule V3, E065)
-- audit:    scheme in ('aha_acc_2017', 'esc_2024')
-- audit:    reading_count >= 7 and day_count >= 3
-- caution:  say one scheme to a person, that of their country, never both, and say it as the range the mean lies in; a range
--           is no finding, and readings without a cuff are no measurement to act on
-- method:   blood_pressure_ranges/1

with

rules as (

    select
        max(case when name = 'blood_pressure_readings_min' then value end) as readings_min,
        max(case when name = 'blood_pressure_days_min' then value end) as days_min,
        max(case when name = 'aha_acc_2017_elevated_systolic' then value end) as aha_elevated_systolic,
        max(case when name = 'aha_acc_2017_stage1_systolic' then value end) as aha_stage1_systolic,
        max(case when name = 'aha_acc_2017_stage1_diastolic' then value end) as aha_stage1_diastolic,
        max(case when name = 'aha_acc_2017_stage2_systolic' then value end) as aha_stage2_systolic,
        max(case when name = 'aha_acc_2017_stage2_diastolic' then value end) as aha_stage2_diastolic,
        max(case when name = 'aha_acc_2017_severe_systolic' then value end) as aha_severe_systolic,
        max(case when name = 'aha_acc_2017_severe_diastolic' then value end) as aha_severe_diastolic,
        max(case when name = 'esc_2024_elevated_systolic' then value end) as esc_elevated_systolic,
        max(case when name = 'esc_2024_elevated_diastolic' then value end) as esc_elevated_diastolic,
        max(case when name = 'esc_2024_high_systolic' then value end) as esc_high_systolic,
        max(case when name = 'esc_2024_high_diastolic' then value end) as esc_high_diastolic

    from definitions

),

means as (

    select
        blood_pressure_days.user_id,
        blood_pressure_days.local_date,
        blood_pressure_days.window_reading_count as reading_count,
        blood_pressure_days.window_day_count as day_count,
        blood_pressure_days.window_systolic_mean_mmhg as systolic,
        blood_pressure_days.window_diastolic_mean_mmhg as diastolic

    from blood_pressure_days
    inner join dirty_days
        on blood_pressure_days.user_id = dirty_days.user_id
        and blood_pressure_days.local_date = dirty_days.local_date
    cross join rules

    where
        blood_pressure_days.window_reading_count >= rules.readings_min
        and blood_pressure_days.window_day_count >= rules.days_min

),

judged as (

    select
        means.*,
        'aha_acc_2017' as scheme,
        case
            when means.systolic > rules.aha_severe_systolic or means.diastolic > rules.aha_severe_diastolic then 'severe'
            when means.systolic >= rules.aha_stage2_systolic or means.diastolic >= rules.aha_stage2_diastolic then 'stage2'
            when means.systolic >= rules.aha_stage1_systolic or means.diastolic >= rules.aha_stage1_diastolic then 'stage1'
            when means.systolic >= rules.aha_elevated_systolic then 'elevated'
            else 'normal'
        end as blood_pressure_range

    from means
    cross join rules

    union all

    select
        means.*,
        'esc_2024' as scheme,
        case
            when means.systolic >= rules.esc_high_systolic or means.diastolic >= rules.esc_high_diastolic
                then 'hypertension_range'
            when means.systolic >= rules.esc_elevated_systolic or means.diastolic >= rules.esc_elevated_diastolic
                then 'elevated_range'
            else 'non_elevated'
        end as blood_pressure_range

    from means
    cross join rules

),

ranges as (

    select
        user_id,                -- person
        local_date,             -- the person's date
        scheme,                 -- aha_acc_2017 or esc_2024
        blood_pressure_range,   -- name of the range in its scheme, of the means below
        reading_count,          -- readings of the last 30 days
        day_count,              -- days they are from
        systolic
            as systolic_mean_mmhg,  -- mmHg, their mean
        diastolic
            as diastolic_mean_mmhg, -- mmHg, their mean
        'blood_pressure_ranges/1'
            as method_version   -- formula of this row

    from judged

)

select * from ranges
