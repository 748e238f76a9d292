-- calendar_dates: one row per date that a local date can be: from 2014-12-31 to the end of 2099.
--
-- grain:    local_date
-- inputs:   none
-- build:    view

with

dates as (

    select
        cast(unnest(generate_series(timestamp '2014-12-31', timestamp '2099-12-31', interval 1 day)) as date)
            as local_date   -- a calendar date

)

select * from dates
