-- cycle_predictions: one row per person whose past cycles say when the next may start, with the range.
--
-- grain:    user_id, last_start_date
-- inputs:   cycle_periods, definitions
-- build:    table
-- lookback: person
-- reach:    person
-- sensitivity: cycle
-- source:   next start = last start + median of the last 3 to 6 cycle lengths, cycles under 15 or over 90 days left out; the
--           range is 1.4826 x MAD each way, 2 days at least (methods 4.4, E067)
-- audit:    range_from_date <= predicted_start_date and predicted_start_date <= range_until_date
-- audit:    cycle_count between 3 and 6
-- audit:    last_start_date < predicted_start_date
-- caution:  an estimate from past cycles, not for contraception or to plan pregnancy: say so wherever it is shown
-- method:   cycle_predictions/1

with

rules as (

    select
        max(case when name = 'cycle_length_min_days' then value end) as length_min,
        max(case when name = 'cycle_length_max_days' then value end) as length_max,
        max(case when name = 'cycle_recent_count' then value end) as recent_count,
        max(case when name = 'cycle_recent_count_min' then value end) as recent_count_min,
        max(case when name = 'cycle_window_min_days' then value end) as window_min,
        max(case when name = 'cycle_mad_scale' then value end) as mad_scale

    from definitions

),

periods as (

    select
        cycle_periods.user_id,
        cycle_periods.start_date,
        cycle_periods.cycle_length_days

    from cycle_periods
    inner join (select distinct user_id from dirty_days) as people
        on cycle_periods.user_id = people.user_id

),

last_starts as (

    select
        user_id,
        max(start_date) as last_start_date

    from periods

    group by user_id

),

usable_cycles as (

    select
        periods.user_id,
        periods.cycle_length_days,
        periods.start_date,
        row_number() over (partition by periods.user_id order by periods.start_date desc) as recency_rank

    from periods
    cross join rules

    where periods.cycle_length_days between rules.length_min and rules.length_max

),

recent_cycles as (

    select
        usable_cycles.user_id,
        usable_cycles.start_date,
        usable_cycles.cycle_length_days,
        row_number() over (
            partition by usable_cycles.user_id
            order by usable_cycles.cycle_length_days, usable_cycles.start_date
        ) as place,
        count(*) over (partition by usable_cycles.user_id) as cycle_count

    from usable_cycles
    cross join rules

    where usable_cycles.recency_rank <= rules.recent_count

),

-- Twice the median is whole.
medians as (

    select
        recent_cycles.user_id,
        recent_cycles.cycle_count,
        min(case when 2 * recent_cycles.place >= recent_cycles.cycle_count then recent_cycles.cycle_length_days end)
        + min(case when 2 * recent_cycles.place > recent_cycles.cycle_count then recent_cycles.cycle_length_days end)
            as twice_median

    from recent_cycles
    cross join rules

    where recent_cycles.cycle_count >= rules.recent_count_min

    group by recent_cycles.user_id, recent_cycles.cycle_count

),

distances as (

    select
        medians.user_id,
        medians.cycle_count,
        medians.twice_median,
        abs(2 * recent_cycles.cycle_length_days - medians.twice_median) as twice_distance,
        row_number() over (
            partition by medians.user_id
            order by abs(2 * recent_cycles.cycle_length_days - medians.twice_median), recent_cycles.start_date
        ) as place

    from medians
    inner join recent_cycles
        on medians.user_id = recent_cycles.user_id

),

spreads as (

    select
        user_id,
        cycle_count,
        cast(twice_median as double) / 2 as median_days,
        cast(
            min(case when 2 * place >= cycle_count then twice_distance end)
            + min(case when 2 * place > cycle_count then twice_distance end)
            as double
        ) / 4 as mad_days

    from distances

    group by user_id, cycle_count, twice_median

),

half_widths as (

    select
        spreads.*,
        case
            when round(rules.mad_scale * spreads.mad_days) > rules.window_min
                then cast(round(rules.mad_scale * spreads.mad_days) as integer)
            else cast(rules.window_min as integer)
        end as half_width_days

    from spreads
    cross join rules

),

predictions as (

    select
        half_widths.user_id,            -- person
        last_starts.last_start_date,    -- first date of the last period noted
        cast(half_widths.cycle_count as integer)
            as cycle_count,             -- cycles it rests on
        half_widths.median_days
            as median_cycle_length_days,    -- days, their median
        half_widths.mad_days
            as mad_cycle_length_days,   -- days, median distance from the median
        last_starts.last_start_date + cast(round(half_widths.median_days) as integer)
            as predicted_start_date,    -- when the next may start; an estimate
        last_starts.last_start_date + cast(round(half_widths.median_days) as integer) - half_widths.half_width_days
            as range_from_date,         -- first date of the range
        last_starts.last_start_date + cast(round(half_widths.median_days) as integer) + half_widths.half_width_days
            as range_until_date,        -- last date of the range
        'cycle_predictions/1'
            as method_version           -- formula of this row

    from half_widths
    inner join last_starts
        on half_widths.user_id = last_starts.user_id

)

select * from predictions
