-- stg_figure_series: one row per person, figure looked at day by day and way its values were made, with these values.
--
-- grain:    user_id, figure, figure_method
-- inputs:   activity_days, resting_heart_rate_days, sleep_nights
-- build:    view
-- caution:  the same figures as in stg_figure_days, for baselines, which have a row for each day: lists need no join of every
--           day of two months with every other table. Which of the values are valid is not known here

with

-- Three figures of one reading.
nights as materialized (

    select
        user_id,
        night_date,
        method_version || ' ' || source as figure_method,
        total_sleep_time_min,
        sleep_onset_at,
        onset_utc_offset_min,
        sleep_offset_at,
        offset_utc_offset_min

    from sleep_nights

),

series as (

    select
        user_id,                    -- person
        'step_count' as figure,     -- name, see figures
        method_version
            as figure_method,       -- how the values were made
        'day' as valid_on,          -- whether a value needs a valid day or a valid night; any = it is valid as it is
        list(cast(local_date - date '1970-01-01' as integer))
            as dates,               -- days since 1970-01-01, in no order
        list(cast(step_count as double))
            as figure_values        -- values of these dates

    from activity_days

    where step_count is not null

    group by user_id, method_version

    union all

    select
        user_id,
        'resting_heart_rate_' || resting_heart_rate_source || '_bpm' as figure,
        method_version as figure_method,
        'any' as valid_on,
        list(cast(local_date - date '1970-01-01' as integer)) as dates,
        list(cast(resting_heart_rate_bpm as double)) as figure_values

    from resting_heart_rate_days

    where resting_heart_rate_bpm is not null and resting_heart_rate_source in ('asleep', 'awake')

    group by user_id, resting_heart_rate_source, method_version

    union all

    select
        user_id,
        'total_sleep_time_min' as figure,
        figure_method,
        'night' as valid_on,
        list(cast(night_date - date '1970-01-01' as integer)) as dates,
        list(cast(total_sleep_time_min as double)) as figure_values

    from nights

    where total_sleep_time_min is not null

    group by user_id, figure_method

    union all

    select
        user_id,
        'sleep_onset_clock_min' as figure,
        figure_method,
        'night' as valid_on,
        list(cast(night_date - date '1970-01-01' as integer)) as dates,
        list(
            epoch_ms(sleep_onset_at) / 60000 + onset_utc_offset_min - 1440 * cast(night_date - date '1970-01-01' as double)
        ) as figure_values

    from nights

    where sleep_onset_at is not null and onset_utc_offset_min is not null

    group by user_id, figure_method

    union all

    select
        user_id,
        'sleep_offset_clock_min' as figure,
        figure_method,
        'night' as valid_on,
        list(cast(night_date - date '1970-01-01' as integer)) as dates,
        list(
            epoch_ms(sleep_offset_at) / 60000 + offset_utc_offset_min - 1440 * cast(night_date - date '1970-01-01' as double)
        ) as figure_values

    from nights

    where sleep_offset_at is not null and offset_utc_offset_min is not null

    group by user_id, figure_method

)

select * from series
