-- clock_days: one row per person and local date with a series: where the person's clock stood against UTC.
--
-- grain:    user_id, local_date
-- inputs:   stg_clock_hours, definitions
-- build:    table
-- source:   the offset recorded with each sample; a day on which it moved by 3 h or more is not one to compare by (methods
--           6.4)
-- audit:    utc_offset_range_min = utc_offset_max_min - utc_offset_min_min
-- audit:    utc_offset_min_min >= -1080 and utc_offset_max_min <= 1080
-- caution:  a clock that moved while nothing was recorded shows on neither date
-- method:   clock_days/1

with

rules as (

    select max(case when name = 'travel_shift_min' then value end) as shift_min

    from definitions

),

ranges as (

    select
        stg_clock_hours.user_id,
        stg_clock_hours.local_date,
        min(stg_clock_hours.utc_offset_min) as utc_offset_min_min,
        max(stg_clock_hours.utc_offset_min) as utc_offset_max_min

    from stg_clock_hours
    inner join dirty_days
        on stg_clock_hours.user_id = dirty_days.user_id
        and stg_clock_hours.local_date = dirty_days.local_date

    group by stg_clock_hours.user_id, stg_clock_hours.local_date

),

days as (

    select
        ranges.user_id,                 -- person
        ranges.local_date,              -- the person's date
        ranges.utc_offset_min_min,      -- min east of UTC, the lowest of the date
        ranges.utc_offset_max_min,      -- min east of UTC, the highest of the date
        ranges.utc_offset_max_min - ranges.utc_offset_min_min
            as utc_offset_range_min,    -- min by which the clock moved: 0 on most days, 60 when clocks change
        ranges.utc_offset_max_min - ranges.utc_offset_min_min >= rules.shift_min
            as is_travel_day,           -- it moved by travel_shift_min or more
        'clock_days/1'
            as method_version           -- formula of this row

    from ranges
    cross join rules

)

select * from days
