-- stg_day_cuts: since when a person's sleep day begins at which minute, as the person set it.
--
-- grain:    user_id, local_date
-- inputs:   silver.events
-- build:    view
-- caution:  profile event day_cut_min; of several on a date the last counts; a value that is no minute of a day
--           takes the setting back

with

settings as (

    select
        user_id,
        local_date,
        value,
        row_number() over (
            partition by user_id, local_date
            order by start_at desc, device_id desc
        ) as recency

    from silver.events

    where
        kind = 'profile'
        and name = 'day_cut_min'

),

cuts as (

    select
        user_id,            -- person
        local_date,         -- from this date on
        case when value between 1 and 1440 then value end
            as day_cut_min  -- minute of the day at which a sleep day ends and the next begins; null = the default

    from settings

    where recency = 1

)

select * from cuts
