-- heart: the days of the period on which the heart rate was measured.
--
-- grain:    user_id, local_date
-- inputs:   heart_rate_days
-- params:   $people, $first_date, $last_date

with

report_people as (

    select unnest(cast($people as varchar[])) as user_id

),

days as (

    select
        heart_rate_days.user_id,
        heart_rate_days.local_date,
        heart_rate_days.heart_rate_min_bpm,
        heart_rate_days.heart_rate_mean_bpm, -- beats/min; mean over the measured minutes
        heart_rate_days.heart_rate_max_bpm,
        heart_rate_days.measured_min,
        heart_rate_days.method_version

    from heart_rate_days
    inner join report_people
        on heart_rate_days.user_id = report_people.user_id

    where
        heart_rate_days.local_date >= cast($first_date as date)
        and heart_rate_days.local_date <= cast($last_date as date)

)

select * from days

order by user_id, local_date
