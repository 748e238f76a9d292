-- figures: for each figure of sleep, heart and movement what the period says, and the same of the person's own dates it is
-- compared with.
--
-- grain:    user_id, figure
-- inputs:   sleep_nights, heart_rate_days, activity_days, user_days
-- params:   $people, $first_date, $closed_date (the last date of the period that is over), $closed_night (the last date of
--           waking that is over), $history_first, $history_last (the dates it is compared with, before $first_date)
-- source:   spans are compared by the means of their valid days, never by their sums; noise is the median absolute
--           deviation of the single days of the history; nights count as the days of sleep
-- caution:  a valid day was worn at least 600 min awake, and a valid night has at least 240 min in bed; a night without a
--           row was not measured; the mean of a day's heart rate depends on the hours it was worn; a total counts every day
--           measured and worn

with

report_people as (

    select unnest(cast($people as varchar[])) as user_id

),

nights as (

    select
        sleep_nights.user_id,
        sleep_nights.night_date as local_date,
        sleep_nights.total_sleep_time_min,
        sleep_nights.time_in_bed_min,
        sleep_nights.sleep_efficiency_pct,
        sleep_nights.wake_after_sleep_onset_min,
        sleep_nights.deep_min,
        sleep_nights.rem_min,
        sleep_nights.method_version || ' ' || sleep_nights.source as method,
        coalesce(user_days.is_valid_night, false) as is_valid

    from sleep_nights
    inner join report_people
        on sleep_nights.user_id = report_people.user_id
    left join user_days
        on sleep_nights.user_id = user_days.user_id
        and sleep_nights.night_date = user_days.local_date

    where
        (sleep_nights.night_date >= cast($first_date as date) and sleep_nights.night_date <= cast($closed_night as date))
        or (sleep_nights.night_date >= cast($history_first as date) and sleep_nights.night_date <= cast($history_last as date))

),

hearts as (

    select
        heart_rate_days.user_id,
        heart_rate_days.local_date,
        heart_rate_days.heart_rate_mean_bpm,
        heart_rate_days.heart_rate_min_bpm,
        heart_rate_days.heart_rate_max_bpm,
        heart_rate_days.measured_min,
        heart_rate_days.method_version as method,
        coalesce(user_days.is_valid_day, false) as is_valid

    from heart_rate_days
    inner join report_people
        on heart_rate_days.user_id = report_people.user_id
    left join user_days
        on heart_rate_days.user_id = user_days.user_id
        and heart_rate_days.local_date = user_days.local_date

    where
        (heart_rate_days.local_date >= cast($first_date as date) and heart_rate_days.local_date <= cast($closed_date as date))
        or (heart_rate_days.local_date >= cast($history_first as date) and heart_rate_days.local_date <= cast($history_last as date))

),

movements as (

    select
        activity_days.user_id,
        activity_days.local_date,
        activity_days.step_count,
        activity_days.moderate_equivalent_min,
        activity_days.active_hour_count,
        activity_days.method_version as method,
        coalesce(user_days.is_valid_day, false) as is_valid

    from activity_days
    inner join report_people
        on activity_days.user_id = report_people.user_id
    left join user_days
        on activity_days.user_id = user_days.user_id
        and activity_days.local_date = user_days.local_date

    where
        -- a watch on a table sends zeros: days without a worn minute are no evidence of stillness
        coalesce(user_days.worn_min, 1) > 0
        and (
            (activity_days.local_date >= cast($first_date as date) and activity_days.local_date <= cast($closed_date as date))
            or (activity_days.local_date >= cast($history_first as date) and activity_days.local_date <= cast($history_last as date))
        )

),

measures as (

    select user_id, local_date, method, is_valid, 'total_sleep_time_min' as figure, cast(total_sleep_time_min as double) as value from nights
    union all
    select user_id, local_date, method, is_valid, 'time_in_bed_min' as figure, cast(time_in_bed_min as double) as value from nights
    union all
    select user_id, local_date, method, is_valid, 'sleep_efficiency_pct' as figure, cast(sleep_efficiency_pct as double) as value from nights
    union all
    select user_id, local_date, method, is_valid, 'wake_after_sleep_onset_min' as figure, cast(wake_after_sleep_onset_min as double) as value from nights
    union all
    select user_id, local_date, method, is_valid, 'deep_min' as figure, cast(deep_min as double) as value from nights
    union all
    select user_id, local_date, method, is_valid, 'rem_min' as figure, cast(rem_min as double) as value from nights
    union all
    select user_id, local_date, method, is_valid, 'heart_rate_mean_bpm' as figure, cast(heart_rate_mean_bpm as double) as value from hearts
    union all
    select user_id, local_date, method, is_valid, 'heart_rate_min_bpm' as figure, cast(heart_rate_min_bpm as double) as value from hearts
    union all
    select user_id, local_date, method, is_valid, 'heart_rate_max_bpm' as figure, cast(heart_rate_max_bpm as double) as value from hearts
    union all
    select user_id, local_date, method, is_valid, 'measured_min' as figure, cast(measured_min as double) as value from hearts
    union all
    select user_id, local_date, method, is_valid, 'step_count' as figure, cast(step_count as double) as value from movements
    union all
    select user_id, local_date, method, is_valid, 'moderate_equivalent_min' as figure, cast(moderate_equivalent_min as double) as value from movements
    union all
    select user_id, local_date, method, is_valid, 'active_hour_count' as figure, cast(active_hour_count as double) as value from movements

),

measured as (

    select * from measures where value is not null

),

of_period as (

    select
        user_id,
        figure,
        count(*) filter (where is_valid) as n,              -- valid days, of sleep nights
        avg(value) filter (where is_valid) as mean,         -- over the valid ones
        count(*) as measured_n,                             -- all that were measured
        sum(value) as total,                                -- over all that were measured
        min(value) as lowest,
        max(value) as highest

    from measured

    where local_date >= cast($first_date as date)

    group by user_id, figure

),

history as (

    select * from measured where is_valid and local_date < cast($first_date as date)

),

of_history as (

    select
        user_id,
        figure,
        count(*) as history_n,        -- valid days, of sleep nights
        avg(value) as history_mean,
        median(value) as history_median

    from history

    group by user_id, figure

),

noise as (

    select
        history.user_id,
        history.figure,
        median(abs(history.value - of_history.history_median)) as history_mad -- the figure's own unit

    from history
    inner join of_history
        on history.user_id = of_history.user_id
        and history.figure = of_history.figure

    group by history.user_id, history.figure

),

versions as (

    select
        user_id,
        figure,
        count(distinct method) filter (where is_valid) as method_count -- more than one: the sides cannot be compared

    from measured

    group by user_id, figure

),

figures as (

    -- versions has a row for every figure measured in the period or before it
    select
        versions.user_id,
        versions.figure,
        coalesce(of_period.n, 0) as n,
        cast(of_period.mean as double) as mean,
        coalesce(of_period.measured_n, 0) as measured_n,
        cast(of_period.total as double) as total,
        cast(of_period.lowest as double) as lowest,
        cast(of_period.highest as double) as highest,
        coalesce(of_history.history_n, 0) as history_n,
        cast(of_history.history_mean as double) as history_mean,
        cast(noise.history_mad as double) as history_mad,
        versions.method_count

    from versions
    left join of_period
        on versions.user_id = of_period.user_id
        and versions.figure = of_period.figure
    left join of_history
        on versions.user_id = of_history.user_id
        and versions.figure = of_history.figure
    left join noise
        on versions.user_id = noise.user_id
        and versions.figure = noise.figure

)

select * from figures

order by user_id, figure
