-- stg_oxygen_seconds: oxygen saturation measured at least every 3 s, second by second, from the one device that stands for
-- that minute.
--
-- grain:    user_id, local_date, second_number
-- inputs:   stg_day_samples
-- build:    view

with

numbered_seconds as (

    select
        user_id,
        local_date,
        cast(date_diff('day', date '1970-01-01', local_date) as bigint) * 86400 as midnight_second,
        unnest(oxygen_saturation_seconds) as second_of_date,
        unnest(oxygen_saturation_second_mins_permille) as value,
        unnest(oxygen_saturation_covered_s) as covered_s

    from stg_day_samples

),

seconds as (

    select
        user_id,            -- person
        local_date,         -- the person's date
        midnight_second + second_of_date
            as second_number, -- seconds since 1970-01-01 UTC
        value,              -- permille, the lowest sample of the second
        covered_s           -- s it speaks for

    from numbered_seconds

)

select * from seconds
