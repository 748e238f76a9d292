-- sleep_night_states: whether a night can still go on: final once something was recorded an hour and more after it.
--
-- grain:    user_id, night_date
-- inputs:   sleep_nights, stg_clock_hours, definitions
-- build:    view
-- source:   product rule S16: provisional until 60 min have passed without more of it, by the data's own clock; a night that
--           its source told as a sum is final
-- caution:  hours are counted as they begin, so that a night may be final up to an hour later than it could be; data that
--           comes late changes a final night as well

with

rules as (

    select max(case when name = 'night_settled_min' then value end) as settled_min

    from definitions

),

latest as (

    select
        user_id,
        max(hour_at) as recorded_hour_at

    from stg_clock_hours

    group by user_id

),

states as (

    select
        sleep_nights.user_id,       -- person
        sleep_nights.night_date,    -- the person's date of waking
        latest.recorded_hour_at,    -- the last UTC hour in which anything was recorded; null when no series was
        case
            when sleep_nights.ended_at is null then 'final'
            when date_diff('minute', sleep_nights.ended_at, latest.recorded_hour_at) >= rules.settled_min then 'final'
            else 'provisional'
        end
            as night_state          -- final or provisional

    from sleep_nights
    cross join rules
    left join latest
        on sleep_nights.user_id = latest.user_id

)

select * from states
