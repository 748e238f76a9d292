-- device_minutes: whose a person's minute of a metric is, of all devices that have something to say of it, and where the
-- minute lies in which the sample starts that speaks for it.
--
-- grain:    user_id, local_date, metric, minute_number
-- inputs:   naive_given_samples, naive_heart_samples
-- build:    view

with

samples as (

    select
        user_id,
        local_date,
        'heart_rate' as metric,
        device_id,
        source,
        minute_number,
        1 as covered_min,
        1 as is_worn

    from naive_heart_samples

    union all

    select
        user_id,
        local_date,
        metric,
        device_id,
        source,
        minute_number,
        case
            when metric in ('steps', 'distance', 'floors', 'active_energy', 'intensity') then 1
            else greatest(period_ms // 60000, 1)
        end as covered_min,
        case when metric = 'steps' and value > 0 then 1 else 0 end as is_worn

    from naive_given_samples

    where metric <> 'heart_rate'

),

-- Worn is what the minute itself shows: a step, or a heart.
worn_minutes as (

    select distinct
        user_id,
        local_date,
        device_id,
        minute_number

    from samples

    where is_worn = 1

),

starts as (

    select
        user_id,
        local_date,
        metric,
        device_id,
        minute_number,
        max(covered_min) as covered_min,
        min(case source when 'native' then 1 when 'import' then 2 else 3 end) as source_rank

    from samples

    group by user_id, local_date, metric, device_id, minute_number

),

-- A device speaks for a minute by the last of its samples before.
claims as (

    select
        user_id,
        local_date,
        metric,
        device_id,
        source_rank,
        minute_number as start_number,
        unnest(generate_series(
            minute_number,
            least(
                minute_number + covered_min,
                lead(minute_number, 1, 999999999) over (
                    partition by user_id, local_date, metric, device_id order by minute_number
                )
            ) - 1
        )) as minute_number

    from starts

),

ranked_claims as (

    select
        claims.*,
        row_number() over (
            partition by claims.user_id, claims.local_date, claims.metric, claims.minute_number
            order by worn_minutes.user_id is null, claims.source_rank, claims.device_id
        ) as preference

    from claims
    left join worn_minutes
        on claims.user_id = worn_minutes.user_id
        and claims.local_date = worn_minutes.local_date
        and claims.device_id = worn_minutes.device_id
        and claims.minute_number = worn_minutes.minute_number

),

chosen as (

    select
        user_id,
        local_date,
        metric,
        minute_number,
        device_id,
        start_number

    from ranked_claims

    where preference = 1

)

select * from chosen
