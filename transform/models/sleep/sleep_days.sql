-- sleep_days: one row per person and date with sleep: all sleep of the 24 hours, naps included, against the need.
--
-- grain:    user_id, night_date
-- inputs:   sleep_nights, sleep_periods, sleep_needs, definitions
-- build:    table
-- lookback: 6 days
-- reach:    6 days
-- source:   24-h sleep is main sleep, naps and further sleeps that ended on the date (methods 1.6); debt is the sum over the
--           last 7 nights of what was missing to the need, never less than 0 a night, so that a long sleep pays for no
--           other night (methods 1.8)
-- audit:    total_sleep_time_24h_min >= main_sleep_min
-- audit:    nap_count >= 0 and split_count >= 0
-- audit:    sleep_debt_7d_min >= 0
-- audit:    sleep_debt_night_count between 0 and 7
-- audit:    (sleep_debt_7d_min is null) = (sleep_debt_night_count < 4)
-- caution:  a night that was not measured is no night without sleep: it is left out of the debt and counted; debt is not
--           scaled to nights that are missing; a summary holds its naps already; what we found as a nap ourselves has a
--           length and no time asleep
-- method:   sleep_days/1

with

rules as (

    select
        max(case when name = 'sleep_debt_night_count_min' then value end) as night_count_min,
        max(case when name = 'sleep_debt_day_count' then value end) as day_count

    from definitions

),

extra_sleeps as (

    select
        user_id,
        night_date,
        sum(case when kind = 'nap' then 1 else 0 end) as nap_count,
        sum(case when kind = 'split' then 1 else 0 end) as split_count,
        -- Decimals, because a sum of doubles depends on the order of its terms.
        sum(case when kind = 'nap' then cast(asleep_min as decimal(18, 6)) end) as nap_asleep_min,
        sum(case when kind = 'split' then cast(asleep_min as decimal(18, 6)) end) as split_asleep_min,
        sum(case when kind = 'nap' then sleep_period_min end) as nap_period_min

    from sleep_periods

    where kind in ('nap', 'split')

    group by user_id, night_date

),

dates as (

    select user_id, night_date from sleep_nights

    union

    select user_id, night_date from extra_sleeps

),

totals as (

    select
        dates.user_id,
        dates.night_date,
        sleep_nights.total_sleep_time_min as main_sleep_min,
        coalesce(extra_sleeps.nap_count, 0) as nap_count,
        coalesce(extra_sleeps.split_count, 0) as split_count,
        cast(extra_sleeps.nap_asleep_min as double) as nap_asleep_min,
        cast(extra_sleeps.split_asleep_min as double) as split_asleep_min,
        extra_sleeps.nap_period_min,
        case
            when sleep_nights.source = 'summary' then sleep_nights.total_sleep_time_min
            else sleep_nights.total_sleep_time_min
                + cast(coalesce(extra_sleeps.nap_asleep_min, 0) + coalesce(extra_sleeps.split_asleep_min, 0) as double)
        end as total_min,
        sleep_needs.sleep_need_min,
        sleep_needs.sleep_need_source

    from dates
    left join sleep_nights
        on dates.user_id = sleep_nights.user_id
        and dates.night_date = sleep_nights.night_date
    left join extra_sleeps
        on dates.user_id = extra_sleeps.user_id
        and dates.night_date = extra_sleeps.night_date
    left join sleep_needs
        on dates.user_id = sleep_needs.user_id
        and dates.night_date = sleep_needs.night_date

),

debts as (

    select
        totals.user_id,
        totals.night_date,
        sum(cast(greatest(0, past.sleep_need_min - past.total_min) as decimal(18, 6))) as debt_min,
        count(past.sleep_need_min - past.total_min) as night_count

    from totals
    inner join dirty_days
        on totals.user_id = dirty_days.user_id
        and totals.night_date = dirty_days.local_date
    cross join rules
    inner join totals as past
        on totals.user_id = past.user_id
        and past.night_date > totals.night_date - cast(rules.day_count as integer)
        and past.night_date <= totals.night_date

    -- greatest() passes over a null, and what is not known would be a night without debt.
    where past.sleep_need_min - past.total_min is not null

    group by totals.user_id, totals.night_date

),

days as (

    select
        totals.user_id,                 -- person
        totals.night_date,              -- the person's date of waking
        totals.main_sleep_min,          -- min asleep in the main sleep; null when it was not measured
        cast(totals.nap_count as integer)
            as nap_count,               -- naps that ended on the date
        totals.nap_asleep_min,          -- min asleep in them, as devices told; null when none did
        cast(totals.nap_period_min as integer)
            as nap_period_min,          -- min from their onsets to their offsets
        cast(totals.split_count as integer)
            as split_count,             -- further sleeps that are no naps
        totals.split_asleep_min,        -- min asleep in them
        totals.total_min
            as total_sleep_time_24h_min, -- min asleep, all sleep that ended on the date; null without the main sleep
        totals.sleep_need_min,          -- min, goal or middle of the recommended range
        totals.sleep_need_source,       -- goal, age or adult
        case when coalesce(debts.night_count, 0) >= rules.night_count_min then cast(debts.debt_min as double) end
            as sleep_debt_7d_min,       -- min missing to the need over the last 7 nights; null with fewer than 4
        cast(coalesce(debts.night_count, 0) as integer)
            as sleep_debt_night_count,  -- nights of the last 7 that count
        'sleep_days/1'
            as method_version           -- formula of this row

    from totals
    inner join dirty_days
        on totals.user_id = dirty_days.user_id
        and totals.night_date = dirty_days.local_date
    cross join rules
    left join debts
        on totals.user_id = debts.user_id
        and totals.night_date = debts.night_date

)

select * from days
