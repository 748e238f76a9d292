-- stg_steps: a person's steps, minute by minute, from the one device that stands for that minute.
--
-- grain:    user_id, local_date, minute_number
-- inputs:   stg_day_samples
-- build:    view
-- caution:  what was counted over more than a minute is shared out by time

with

-- A negative number stands for so many minutes more, one after the other.
minutes as (

    select
        user_id,
        local_date,
        step_utc_offset_min,
        unnest(flatten(list_transform(
            range(1, len(step_minutes) + 1),
            lambda i: case
                when step_minutes[i] >= 0 then [step_minutes[i]]
                else range(step_minutes[i - 1] + 1, step_minutes[i - 1] + 1 - step_minutes[i])
            end
        ))) as minute_number,
        unnest(step_counts) as step_count,
        unnest(step_sample_counts) as sample_count,
        unnest(foreign_step_counts) as foreign_step_count,
        unnest(step_utc_offsets_min) as utc_offset_min

    from stg_day_samples

),

steps as (

    select
        user_id,                -- person
        local_date,             -- the person's date
        cast(minute_number as bigint)
            as minute_number,   -- minutes since 1970-01-01 UTC
        cast((minute_number + coalesce(utc_offset_min, step_utc_offset_min)) % 1440 // 60 as integer)
            as local_hour,      -- 0 to 23 on the person's clock
        cast(step_count as bigint)
            as step_count,      -- steps; the device's own zeros are zeros
        cast(coalesce(sample_count, 1) as bigint)
            as sample_count,    -- samples in the minute
        cast(coalesce(foreign_step_count, 0) as bigint)
            as foreign_step_count,  -- of the steps, those that were imported or written in by hand
        coalesce(utc_offset_min, step_utc_offset_min)
            as utc_offset_min   -- min east of UTC, as recorded

    from minutes

)

select * from steps
