-- Who takes part in rankings at as_of_us, in us since 1970-01-01 UTC: the latest consent decides, of two at one instant
-- the refusal.

with

told as (

    select
        user_id,
        start_at,
        value

    from events

    where
        kind = 'consent'
        and name = 'ranking'
        and start_at <= make_timestamptz(cast($as_of_us as bigint))
        and (end_at is null or end_at > make_timestamptz(cast($as_of_us as bigint)))

),

consents as (

    select
        user_id,
        max(start_at) as start_at

    from told

    group by user_id

)

select told.user_id

from told
inner join consents
    on told.user_id = consents.user_id
    and told.start_at = consents.start_at

group by told.user_id

having min(coalesce(told.value, 0)) = 1
