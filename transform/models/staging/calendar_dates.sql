-- calendar_dates: one row per date that a local date can be: from 2014-12-31 to the end of 2099.
--
-- grain:    local_date
-- inputs:   none
-- build:    view

with

dates as (

    -- A list of a constant range would be made when the query is planned, and copied with the plan: 8 ms a build.
    select
        date '2014-12-31' + cast(days_later as integer)
            as local_date   -- a calendar date

    from range(0, date '2099-12-31' - date '2014-12-31' + 1) as later(days_later)

)

select * from dates
