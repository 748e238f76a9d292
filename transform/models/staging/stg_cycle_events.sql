-- stg_cycle_events: the dates of bleeding that a person noted, date by date, of people whose consent to keep them is in force.
--
-- grain:    user_id, local_date
-- inputs:   silver.cycle_events
-- build:    view
-- sensitivity: cycle
-- caution:  the latest consent event named cycle decides, of two at one instant the refusal; a note without an end speaks of
--           its own date, one with an end of at most 14

with

consents as (

    select
        user_id,
        value,
        row_number() over (
            partition by user_id
            order by start_at desc, case when value = 1 then 1 else 0 end
        ) as recency_rank

    from silver.cycle_events

    where kind = 'consent'

),

notes as (

    select
        cycle_events.user_id,
        cycle_events.local_date as first_date,
        least(
            greatest(
                coalesce(
                    cast(make_timestamp(
                        epoch_us(cycle_events.end_at) - 1 + cast(cycle_events.utc_offset_min as bigint) * 60000000
                    ) as date),
                    cycle_events.local_date
                ),
                cycle_events.local_date
            ),
            cycle_events.local_date + 13
        ) as last_date

    from silver.cycle_events as cycle_events
    inner join consents
        on cycle_events.user_id = consents.user_id

    where
        consents.recency_rank = 1
        and consents.value = 1
        and cycle_events.kind = 'cycle'
        and cycle_events.name = 'period'
        and coalesce(cycle_events.value, 1) <> 0

),

touched_dates as (

    select
        user_id,
        unnest(generate_series(cast(first_date as timestamp), cast(last_date as timestamp), interval 1 day)) as noted_at

    from notes

),

bleeding_dates as (

    select distinct
        user_id,            -- person
        cast(noted_at as date)
            as local_date   -- a date of bleeding, as noted

    from touched_dates

)

select * from bleeding_dates
