-- Everybody who takes part in a board and has steps in its period: what their closed days count, what is left out, and
-- what their profile said when the period began. Parameters: first_date and last_date of the period, month_date = first
-- of the month in which it starts, as_of_us = time of asking in us since 1970-01-01 UTC.

with

told as (

    select
        user_id,
        kind,
        name,
        start_at,
        local_date,
        value,
        text

    from events

    where
        kind in ('consent', 'profile')
        and start_at <= make_timestamptz(cast($as_of_us as bigint))
        and (end_at is null or end_at > make_timestamptz(cast($as_of_us as bigint)))

),

consents as (

    select
        user_id,
        max(start_at) as start_at

    from told

    where
        kind = 'consent'
        and name = 'ranking'

    group by user_id

),

-- The latest consent decides, of two at one instant the refusal.
members as (

    select told.user_id

    from told
    inner join consents
        on told.user_id = consents.user_id
        and told.start_at = consents.start_at

    where
        told.kind = 'consent'
        and told.name = 'ranking'

    group by told.user_id

    having min(coalesce(told.value, 0)) = 1

),

-- A statement counts from the month after it was made, the first one at once.
statements as (

    select
        user_id,
        name,
        coalesce(max(case when local_date < cast($month_date as date) then start_at end), min(start_at)) as start_at

    from told

    where
        kind = 'profile'
        and name in ('country', 'birth_year', 'sex')

    group by user_id, name

),

profiles as (

    select
        told.user_id,
        min(case when told.name = 'country' then told.text end) as country,
        min(case when told.name = 'birth_year' then told.value end) as birth_year,
        min(case when told.name = 'sex' then told.text end) as sex

    from told
    inner join statements
        on told.user_id = statements.user_id
        and told.name = statements.name
        and told.start_at = statements.start_at

    where told.kind = 'profile'

    group by told.user_id

),

beginnings as (

    select
        user_id,
        min(local_date) as first_evidence_date

    from ranking_days

    group by user_id

),

days as (

    select
        ranking_days.*,
        ranking_days.local_date < cast(
            make_timestamp(cast($as_of_us as bigint) + cast(ranking_days.utc_offset_min as bigint) * 60000000) as date
        ) as is_closed,
        ranking_days.local_date = cast(
            make_timestamp(cast($as_of_us as bigint) + cast(ranking_days.utc_offset_min as bigint) * 60000000) as date
        ) as is_running

    from ranking_days
    inner join members
        on ranking_days.user_id = members.user_id

    where ranking_days.local_date between cast($first_date as date) and cast($last_date as date)

),

totals as (

    select
        days.user_id,
        cast(coalesce(sum(case when days.is_closed then days.counted_step_count end), 0) as bigint) as counted,
        cast(sum(case when days.is_running then days.counted_step_count end) as bigint) as running,
        cast(sum(case when days.is_closed then 1 else 0 end) as bigint) as closed_days,
        cast(sum(case when days.is_closed and user_days.is_valid_day then 1 else 0 end) as bigint) as valid_days,
        max(case when days.is_closed and days.counted_step_count > 0 then days.reached_at end) as reached_at,
        max(days.last_evidence_at) as last_evidence_at,
        cast(sum(days.fast_min) as bigint) as fast_min,
        cast(sum(days.fast_step_count) as bigint) as fast_step_count,
        cast(sum(days.sustained_min) as bigint) as sustained_min,
        cast(sum(days.sustained_step_count) as bigint) as sustained_step_count,
        cast(sum(days.foreign_min) as bigint) as foreign_min,
        cast(sum(days.foreign_step_count) as bigint) as foreign_step_count,
        cast(sum(case when days.quarantine_reason = 'day_steps' then 1 else 0 end) as bigint) as day_steps_days,
        cast(sum(case when days.quarantine_reason = 'day_steps' then days.plausible_step_count else 0 end) as bigint)
            as day_steps_step_count,
        cast(sum(case when days.quarantine_reason = 'day_walking' then 1 else 0 end) as bigint) as day_walking_days,
        cast(sum(case when days.quarantine_reason = 'day_walking' then days.plausible_step_count else 0 end) as bigint)
            as day_walking_step_count,
        cast(sum(case when not days.is_quarantined and days.plausible_step_count > days.counted_step_count then 1 else 0 end)
            as bigint) as over_maximum_days,
        cast(sum(case when days.is_quarantined then 0 else days.plausible_step_count - days.counted_step_count end) as bigint)
            as over_maximum_step_count

    from days
    left join user_days
        on days.user_id = user_days.user_id
        and days.local_date = user_days.local_date

    group by days.user_id

)

select
    totals.user_id,
    totals.counted,
    totals.running,
    totals.closed_days,
    totals.valid_days,
    epoch_ms(totals.reached_at) as reached_at_ms,
    epoch_ms(totals.last_evidence_at) as last_evidence_at_ms,
    coalesce(profiles.country, '') as country,
    profiles.birth_year,
    coalesce(profiles.sex, '') as sex,
    cast($first_date as date) - beginnings.first_evidence_date as days_since_first,
    totals.fast_min,
    totals.fast_step_count,
    totals.sustained_min,
    totals.sustained_step_count,
    totals.foreign_min,
    totals.foreign_step_count,
    totals.day_steps_days,
    totals.day_steps_step_count,
    totals.day_walking_days,
    totals.day_walking_step_count,
    totals.over_maximum_days,
    totals.over_maximum_step_count

from totals
inner join beginnings
    on totals.user_id = beginnings.user_id
left join profiles
    on totals.user_id = profiles.user_id
