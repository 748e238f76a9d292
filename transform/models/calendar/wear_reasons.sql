-- wear_reasons: one row per person and date of user_days: how long it was worn, what the device told that kept it from
-- measuring, and the reason that explains most of a day that is not valid.
--
-- grain:    user_id, local_date
-- inputs:   user_days, stg_wear_events
-- build:    table
-- lookback: 6 days
-- reach:    6 days
-- source:   wear and the reasons of its absence (product rules A7, I17)
-- audit:    is_valid_day = (reason is null)
-- audit:    reason in ('charging', 'off_wrist', 'low_power', 'heart_rate_off', 'no_data', 'not_told')
-- caution:  a reason is what the device told, not what was seen: most say nothing, and not_told is not "not worn"
-- method:   wear_reasons/1

with

events as (

    select
        stg_wear_events.user_id,
        stg_wear_events.local_date,
        stg_wear_events.reason,
        stg_wear_events.from_minute,
        stg_wear_events.until_minute,
        max(stg_wear_events.until_minute) over (
            partition by stg_wear_events.user_id, stg_wear_events.local_date, stg_wear_events.reason
            order by stg_wear_events.from_minute, stg_wear_events.until_minute
            rows between unbounded preceding and 1 preceding
        ) as until_before

    from stg_wear_events
    inner join dirty_days
        on stg_wear_events.user_id = dirty_days.user_id
        and stg_wear_events.local_date = dirty_days.local_date

),

-- Minutes told twice are counted once.
reason_days as (

    select
        user_id,
        local_date,
        reason,
        sum(
            case
                when until_before is null or from_minute >= until_before then until_minute - from_minute
                when until_minute > until_before then until_minute - until_before
                else 0
            end
        ) as reason_min

    from events

    group by user_id, local_date, reason

),

told_days as (

    select
        user_id,
        local_date,
        max(case when reason = 'charging' then reason_min end) as charging_min,
        max(case when reason = 'off_wrist' then reason_min end) as off_wrist_min,
        max(case when reason = 'low_power' then reason_min end) as low_power_min,
        max(case when reason = 'heart_rate_off' then reason_min end) as heart_rate_off_min,
        max(reason_min) as longest_reason_min

    from reason_days

    group by user_id, local_date

),

days as (

    select
        user_days.user_id,              -- person
        user_days.local_date,           -- the person's date
        user_days.is_valid_day,         -- worn 10 h awake
        user_days.worn_min,             -- min worn; null when nothing was measured
        cast(told_days.charging_min as integer)
            as charging_min,            -- min on the charger; null when not told
        cast(told_days.off_wrist_min as integer)
            as off_wrist_min,           -- min the device says it was off the wrist; null when not told
        cast(told_days.low_power_min as integer)
            as low_power_min,           -- min it was saving power; null when not told
        cast(told_days.heart_rate_off_min as integer)
            as heart_rate_off_min,      -- min heart rate was switched off; null when not told
        case
            when user_days.is_valid_day then null
            when told_days.off_wrist_min = told_days.longest_reason_min then 'off_wrist'
            when told_days.charging_min = told_days.longest_reason_min then 'charging'
            when told_days.heart_rate_off_min = told_days.longest_reason_min then 'heart_rate_off'
            when told_days.low_power_min = told_days.longest_reason_min then 'low_power'
            when not user_days.has_steps and not user_days.has_heart_rate and not user_days.has_sleep then 'no_data'
            else 'not_told'
        end
            as reason,                  -- what explains most of a day that is not valid; null of a valid day
        'wear_reasons/1'
            as method_version           -- formula of this row

    from user_days
    inner join dirty_days
        on user_days.user_id = dirty_days.user_id
        and user_days.local_date = dirty_days.local_date
    left join told_days
        on user_days.user_id = told_days.user_id
        and user_days.local_date = told_days.local_date

)

select * from days
