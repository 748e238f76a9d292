-- stg_wear_events: what the device told of itself that keeps it from measuring, date by date: on its charger, off the wrist,
-- saving power, heart rate switched off.
--
-- grain:    user_id, local_date, device_id, reason, from_minute
-- inputs:   silver.events
-- build:    view
-- caution:  told without an end it lasts until the same device tells the next of its kind, a charging also until it is worn, on
--           the same date or the next; else until the end of its date. With an end it speaks of at most seven dates. Minutes
--           are cut at the midnights of the offset recorded at its start

with

device_events as (

    select
        *,
        kind = 'worn' and coalesce(value, 1) <> 0 as is_worn

    from silver.events

    where kind in ('charging', 'worn', 'sampling')

),

-- What comes next on the same date.
followed as (

    select
        *,
        lead(start_at) over (partition by user_id, device_id, local_date, kind, name order by start_at) as next_at,
        min(case when is_worn then start_at end) over (
            partition by user_id, device_id, local_date
            order by start_at, case when is_worn then 0 else 1 end
            rows between 1 following and unbounded following
        ) as next_worn_at

    from device_events

),

first_of_dates as (

    select
        user_id,
        device_id,
        local_date,
        kind,
        name,
        min(start_at) as first_at

    from device_events

    group by user_id, device_id, local_date, kind, name

),

first_worn_of_dates as (

    select
        user_id,
        device_id,
        local_date,
        min(start_at) as first_at

    from device_events

    where is_worn

    group by user_id, device_id, local_date

),

told as (

    select
        followed.user_id,
        followed.device_id,
        case
            when followed.kind = 'charging' and coalesce(followed.value, 1) <> 0 then 'charging'
            when followed.kind = 'worn' and followed.value = 0 then 'off_wrist'
            when followed.kind = 'sampling' and followed.name = 'low_power' and coalesce(followed.value, 1) <> 0 then 'low_power'
            when followed.kind = 'sampling' and followed.name = 'heart_rate' and followed.value = 0 then 'heart_rate_off'
        end as reason,
        followed.local_date as first_date,
        followed.utc_offset_min,
        epoch_us(followed.start_at) // 60000000 as start_minute,
        -- The event's own date must not depend on what the next date tells, which may not have come yet: what is told then
        -- ends no event before midnight. greatest() passes over a null, so that midnight is left when nothing is told.
        coalesce(
            epoch_us(followed.end_at) // 60000000,
            epoch_us(least(followed.next_at, case when followed.kind = 'charging' then followed.next_worn_at end)) // 60000000,
            greatest(
                epoch_us(least(
                    first_of_dates.first_at,
                    case when followed.kind = 'charging' then first_worn_of_dates.first_at end
                )) // 60000000,
                epoch_us(cast(followed.local_date + 1 as timestamp)) // 60000000 - followed.utc_offset_min
            )
        ) as end_minute

    from followed
    left join first_of_dates
        on followed.user_id = first_of_dates.user_id
        and followed.device_id = first_of_dates.device_id
        and followed.local_date + 1 = first_of_dates.local_date
        and followed.kind = first_of_dates.kind
        and followed.name is not distinct from first_of_dates.name
    left join first_worn_of_dates
        on followed.user_id = first_worn_of_dates.user_id
        and followed.device_id = first_worn_of_dates.device_id
        and followed.local_date + 1 = first_worn_of_dates.local_date

),

dated as (

    select
        *,
        least(
            greatest(
                cast(make_timestamp((end_minute - 1 + utc_offset_min) * 60000000) as date),
                first_date
            ),
            first_date + 6
        ) as last_date

    from told

    where reason is not null

),

touched_dates as (

    select
        *,
        cast(unnest(generate_series(cast(first_date as timestamp), cast(last_date as timestamp), interval 1 day)) as date)
            as local_date

    from dated

),

cut as (

    select
        user_id,
        local_date,
        device_id,
        reason,
        greatest(start_minute, epoch_us(cast(local_date as timestamp)) // 60000000 - utc_offset_min) as from_minute,
        least(end_minute, epoch_us(cast(local_date + 1 as timestamp)) // 60000000 - utc_offset_min) as until_minute

    from touched_dates

),

stretches as (

    select
        user_id,        -- person
        local_date,     -- the person's date
        device_id,      -- device that told it
        reason,         -- charging, off_wrist, low_power or heart_rate_off
        from_minute,    -- minutes since 1970-01-01 UTC
        until_minute    -- minutes since 1970-01-01 UTC; not included

    from cut

    where from_minute < until_minute

)

select * from stretches
