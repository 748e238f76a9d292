-- stg_wear_events: what the device told of itself that keeps it from measuring, date by date: on its charger, off the wrist,
-- saving power, heart rate switched off.
--
-- grain:    user_id, local_date, device_id, reason, from_minute
-- inputs:   silver.events
-- build:    view
-- caution:  told without an end it speaks of its own date alone, and of at most seven dates with one; minutes are cut at the
--           midnights of the offset recorded at its start

with

told as (

    select
        user_id,
        device_id,
        case
            when kind = 'charging' and coalesce(value, 1) <> 0 then 'charging'
            when kind = 'worn' and value = 0 then 'off_wrist'
            when kind = 'sampling' and name = 'low_power' and coalesce(value, 1) <> 0 then 'low_power'
            when kind = 'sampling' and name = 'heart_rate' and value = 0 then 'heart_rate_off'
        end as reason,
        local_date as first_date,
        utc_offset_min,
        epoch_us(start_at) // 60000000 as start_minute,
        epoch_us(end_at) // 60000000 as end_minute

    from silver.events

    where kind in ('charging', 'worn', 'sampling')

),

dated as (

    select
        *,
        least(
            greatest(
                coalesce(cast(make_timestamp((end_minute - 1 + utc_offset_min) * 60000000) as date), first_date),
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
        least(
            coalesce(end_minute, epoch_us(cast(local_date + 1 as timestamp)) // 60000000 - utc_offset_min),
            epoch_us(cast(local_date + 1 as timestamp)) // 60000000 - utc_offset_min
        ) as until_minute

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
