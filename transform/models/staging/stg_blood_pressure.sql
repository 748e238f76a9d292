-- stg_blood_pressure: one row per blood pressure reading: a systolic and a diastolic value of one device and one moment.
--
-- grain:    user_id, local_date, device_id, measured_at
-- inputs:   silver.readings
-- build:    view
-- caution:  a value without its partner, or not above it, is no reading

with

values_by_moment as (

    select
        user_id,
        local_date,
        device_id,
        measured_at,
        max(case when metric = 'blood_pressure_systolic' then value end) as systolic_mmhg,
        max(case when metric = 'blood_pressure_diastolic' then value end) as diastolic_mmhg,
        min(utc_offset_min) as utc_offset_min,
        min(case source when 'native' then 1 when 'import' then 2 else 3 end) as source_rank

    from silver.readings

    where metric in ('blood_pressure_systolic', 'blood_pressure_diastolic')

    group by user_id, local_date, device_id, measured_at

),

pairs as (

    select
        user_id,            -- person
        local_date,         -- the person's date
        device_id,          -- device that measured it, or app it was typed into
        measured_at,        -- when, UTC
        cast((epoch_us(measured_at) // 60000000 + utc_offset_min) // 60 % 24 as integer)
            as local_hour,  -- 0 to 23 on the person's clock
        systolic_mmhg,      -- mmHg
        diastolic_mmhg,     -- mmHg
        source_rank         -- 1 native, 2 import, 3 manual

    from values_by_moment

    where systolic_mmhg > diastolic_mmhg

)

select * from pairs
