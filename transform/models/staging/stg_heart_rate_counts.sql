-- stg_heart_rate_counts: how much of a person's date was measured, counted on the hours where their minutes need no look.
--
-- grain:    user_id, local_date
-- inputs:   stg_heart_rate_hours
-- build:    view

with

hours as (

    select
        user_id,
        local_date,
        hour_at,
        utc_offset_min,
        period_ms,
        offsets_ms,
        "values",
        is_shared,
        is_regular,
        refused_count,
        -- Each sample is over when the next begins.
        period_ms between 1 and 60000
        and (
            is_regular
            or coalesce(list_bool_and(list_transform(offsets_ms[2:], lambda o, i: o - offsets_ms[i] >= period_ms)), true)
        ) as is_even

    from stg_heart_rate_hours

),

date_sums as (

    select
        user_id,
        local_date,
        not bool_or(is_shared) and bool_and(is_even) and count(*) = count(distinct hour_at) as is_plain,
        sum(refused_count) as refused_count,
        arg_max(utc_offset_min, hour_at) - arg_min(utc_offset_min, hour_at) as offset_change_min

    from hours

    group by user_id, local_date

),

plain_minutes as (

    select
        hours.user_id,
        hours.local_date,
        sum(
            case
                when len(hours."values") = 0 then 0
                when hours.is_regular
                    then (hours.offsets_ms[1] + (len(hours."values") - 1) * hours.period_ms) // 60000
                        - hours.offsets_ms[1] // 60000 + 1
                else len(list_distinct(list_transform(hours.offsets_ms, lambda o: o // 60000)))
            end
        ) as measured_min

    from hours
    inner join date_sums
        on hours.user_id = date_sums.user_id
        and hours.local_date = date_sums.local_date

    where date_sums.is_plain

    group by hours.user_id, hours.local_date

),

other_minutes as (

    select distinct
        hours.user_id,
        hours.local_date,
        hours.hour_at,
        unnest(
            case
                when hours.is_regular
                    then list_transform(
                        generate_series(0, len(hours."values") - 1),
                        lambda i: (hours.offsets_ms[1] + i * hours.period_ms) // 60000
                    )
                else list_transform(hours.offsets_ms, lambda o: cast(o // 60000 as bigint))
            end
        ) as minute_of_hour

    from hours
    inner join date_sums
        on hours.user_id = date_sums.user_id
        and hours.local_date = date_sums.local_date

    where not date_sums.is_plain

),

measured as (

    select
        user_id,
        local_date,
        measured_min

    from plain_minutes

    union all

    select
        user_id,
        local_date,
        count(*) as measured_min

    from other_minutes

    group by user_id, local_date

),

days as (

    select
        date_sums.user_id,      -- person
        date_sums.local_date,   -- the person's date
        date_sums.is_plain,     -- no sample overlaps another or needs the next to say how long it counts
        cast(coalesce(measured.measured_min, 0) as integer)
            as measured_min,    -- min in which a valid sample starts
        cast(date_sums.refused_count as bigint)
            as refused_count,   -- samples left out: impossible, sentinels, or jumps
        cast(1440 - date_sums.offset_change_min as integer)
            as date_length_min  -- min that the date had, by the first and last offset recorded on it

    from date_sums
    left join measured
        on date_sums.user_id = measured.user_id
        and date_sums.local_date = measured.local_date

)

select * from days
