-- stg_charging_slots: the slots of five minutes in which a device says that it was not on the body.
--
-- grain:    user_id, local_date, slot_number
-- inputs:   silver.events
-- build:    view
-- caution:  local_date is that of the event's start, and a day is the longest a slot can lie behind it; an event without
--           an end lasts until the device tells the next of its kind, a charging also until it is worn, at most that day

with

tellings as (

    select
        user_id,
        local_date,
        start_at,
        kind,
        value,
        coalesce(
            end_at,
            least(
                lead(start_at) over (partition by user_id, device_id, kind order by start_at),
                case
                    when kind = 'charging' then min(case when kind = 'worn' and coalesce(value, 1) <> 0 then start_at end) over (
                        partition by user_id, device_id
                        order by start_at, kind desc
                        rows between 1 following and unbounded following
                    )
                end
            ),
            start_at + interval 1 day
        ) as end_at

    from silver.events

    where kind in ('charging', 'worn')

),

-- A charging that is told with the value 0 has ended; a device that is told worn with the value 0 was taken off.
spans as (

    select
        user_id,
        local_date,
        epoch_us(start_at) // 300000000 as first_slot,
        (epoch_us(least(end_at, start_at + interval 1 day)) - 1) // 300000000 as last_slot

    from tellings

    where
        end_at > start_at
        and (
            (kind = 'charging' and coalesce(value, 1) <> 0)
            or (kind = 'worn' and value = 0)
        )

),

span_slots as (

    select
        user_id,
        local_date,
        unnest(generate_series(first_slot, last_slot)) as slot_number

    from spans

),

slots as (

    select distinct
        user_id,        -- person
        local_date,     -- the person's date when the event began
        slot_number     -- slots of five minutes since 1970-01-01 UTC

    from span_slots

)

select * from slots
