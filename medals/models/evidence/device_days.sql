-- device_days: one row per person, date and device with a series: what came from the device itself, and its clock.
--
-- grain:    user_id, local_date, device_id
-- inputs:   stg_device_hours
-- build:    table
-- source:   medals rest on native device data (medal rule M8); a travel day is one whose clock moved (medal rule M9)
-- audit:    native_step_count >= 0
-- audit:    native_moderate_equivalent_min >= 0
-- audit:    utc_offset_range_min >= 0
-- caution:  the same minute on two devices is in both rows; activity_days has it once
-- method:   device_days/1

with

hours as (

    select
        stg_device_hours.*,
        row_number() over (
            partition by stg_device_hours.user_id, stg_device_hours.local_date, stg_device_hours.device_id
            order by
                stg_device_hours.hour_at,
                stg_device_hours.first_offset_ms,
                stg_device_hours.utc_offset_min
        ) as hour_rank,
        row_number() over (
            partition by stg_device_hours.user_id, stg_device_hours.local_date, stg_device_hours.device_id
            order by
                stg_device_hours.hour_at desc,
                stg_device_hours.first_offset_ms desc,
                stg_device_hours.utc_offset_min desc
        ) as hour_rank_from_end

    from stg_device_hours
    inner join dirty_days
        on stg_device_hours.user_id = dirty_days.user_id
        and stg_device_hours.local_date = dirty_days.local_date

),

days as (

    select
        user_id,                        -- person
        local_date,                     -- the person's date
        device_id,                      -- device
        max(case when hour_rank = 1 then utc_offset_min end)
            as first_utc_offset_min,    -- min east of UTC in the first hour
        max(case when hour_rank_from_end = 1 then utc_offset_min end)
            as last_utc_offset_min,     -- min east of UTC in the last hour
        max(utc_offset_min) - min(utc_offset_min)
            as utc_offset_range_min,    -- min between the most eastern and the most western offset of the date
        cast(sum(case when metric = 'steps' and source = 'native' then step_count end) as bigint)
            as native_step_count,       -- steps the device itself counted; null when none
        cast(sum(case when metric = 'intensity' and source = 'native' then moderate_equivalent_min end) as integer)
            as native_moderate_equivalent_min,  -- min, moderate + 2 x vigorous by the device itself; null when none
        max(case when metric = 'steps' and source <> 'native' then 1 else 0 end) = 1
            as has_other_steps,         -- steps were imported or entered by hand
        max(case when metric = 'intensity' and source <> 'native' then 1 else 0 end) = 1
            as has_other_intensity,     -- classes were imported or entered by hand
        max(case when metric = 'heart_rate' and source <> 'native' then 1 else 0 end) = 1
            as has_other_heart_rate,    -- heart rates were imported or entered by hand
        'device_days/1'
            as method_version           -- formula of this row

    from hours

    group by user_id, local_date, device_id

)

select * from days
