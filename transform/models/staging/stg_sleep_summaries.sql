-- stg_sleep_summaries: one row per person and date for which a source gave the night's figures and no more.
--
-- grain:    user_id, local_date
-- inputs:   silver.daily_summaries
-- build:    view

with

device_nights as (

    select
        user_id,
        local_date,
        device_id,
        min(case source when 'native' then 1 when 'import' then 2 else 3 end) as source_rank,
        max(case when metric = 'total_sleep_time' then value end) as total_sleep_time_min,
        max(case when metric = 'time_in_bed' then value end) as time_in_bed_min,
        max(case when metric = 'sleep_record_count' then value end) as record_count

    from silver.daily_summaries

    where metric in ('total_sleep_time', 'time_in_bed', 'sleep_record_count')

    group by user_id, local_date, device_id

),

-- A count of records without minutes says nothing about a night.
preferences as (

    select
        user_id,
        local_date,
        total_sleep_time_min,
        time_in_bed_min,
        record_count,
        row_number() over (
            partition by user_id, local_date
            order by
                case when total_sleep_time_min is null then 1 else 0 end,
                source_rank,
                device_id
        ) as preference

    from device_nights

    where total_sleep_time_min is not null or time_in_bed_min is not null

),

nights as (

    select
        user_id,                    -- person
        local_date,                 -- the date the source gave: that of waking
        total_sleep_time_min,       -- min asleep
        time_in_bed_min,            -- min in bed
        record_count                -- sleep records the source summed into the date

    from preferences

    where preference = 1

)

select * from nights
