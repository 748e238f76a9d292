-- training_load_days: one row per person and date of user_days or with a workout that counts: what training came to.
--
-- grain:    user_id, local_date
-- inputs:   user_days, workout_summaries, events, definitions
-- build:    table
-- lookback: 252 days
-- reach:    252 days recorded
-- source:   load is the TRIMP of the workouts that count; CTL and ATL decay by 1 - e^(-1/tau), tau 42 and 7 days, TSB is
--           yesterday's CTL - ATL; recent against usual load over 7 and 28 days, coupled, uncoupled and by EWMA; monotony is
--           the week's mean by its standard deviation, strain is load x monotony (methods 3.4)
-- audit:    load_trimp is null or load_trimp >= 0
-- audit:    fitness_ctl is null or fitness_ctl >= 0
-- audit:    fatigue_atl is null or fatigue_atl >= 0
-- audit:    workout_count >= 0
-- audit:    missing_42_day_count between 0 and 42
-- caution:  a day without a workout is a day of no load only when it was worn or declared a rest; otherwise its load is not
--           known, and the days after take it for none. CTL begins at 0: it is too low for the first weeks. Recent against
--           usual load says how much changed and nothing about injuries
-- method:   training_load_days/1

with

rules as (

    select
        max(case when name = 'load_fitness_days' then value end) as fitness_days,
        max(case when name = 'load_fatigue_days' then value end) as fatigue_days,
        cast(max(case when name = 'load_window_days' then value end) as integer) as window_days,
        cast(max(case when name = 'load_recent_days' then value end) as integer) as recent_days,
        cast(max(case when name = 'load_usual_days' then value end) as integer) as usual_days

    from definitions

),

workout_days as (

    select
        user_id,
        local_date,
        cast(count(*) as integer) as workout_count,
        cast(count(trimp) as integer) as loaded_count,
        sum(cast(trimp as decimal(18, 2))) as trimp

    from workout_summaries

    where is_counted

    group by user_id, local_date

),

rest_days as (

    select distinct
        user_id,
        local_date

    from events

    where kind = 'tag' and name = 'rest_day'

),

dates as (

    select
        user_id,
        local_date

    from user_days

    union

    select
        user_id,
        local_date

    from workout_days

),

loads as (

    select
        dates.user_id,
        dates.local_date,
        coalesce(workout_days.workout_count, 0) as workout_count,
        case
            when workout_days.loaded_count > 0 then workout_days.trimp
            when workout_days.workout_count > 0 then null
            when user_days.is_valid_day or rest_days.user_id is not null then cast(0 as decimal(38, 2))
        end as load_trimp

    from dates
    left join workout_days
        on dates.user_id = workout_days.user_id
        and dates.local_date = workout_days.local_date
    left join user_days
        on dates.user_id = user_days.user_id
        and dates.local_date = user_days.local_date
    left join rest_days
        on dates.user_id = rest_days.user_id
        and dates.local_date = rest_days.local_date

),

aged as (

    select
        today.user_id,
        today.local_date,
        date_diff('day', past.local_date, today.local_date) as age_days,
        past.load_trimp,
        rules.fitness_days,
        rules.fatigue_days,
        rules.window_days,
        rules.recent_days,
        rules.usual_days

    from loads as today
    inner join dirty_days
        on today.user_id = dirty_days.user_id
        and today.local_date = dirty_days.local_date
    cross join rules
    inner join loads as past
        on today.user_id = past.user_id
        and past.local_date <= today.local_date
        and past.local_date > today.local_date - rules.window_days

),

-- What a load weighs is rounded, so that a sum does not depend on its order.
weighted as (

    select
        user_id,
        local_date,
        age_days,
        load_trimp,
        recent_days,
        usual_days,
        cast(load_trimp * (1 - exp(-1 / fitness_days)) * exp(-age_days / fitness_days) as decimal(28, 9)) as of_fitness,
        cast(load_trimp * (1 - exp(-1 / fatigue_days)) * exp(-age_days / fatigue_days) as decimal(28, 9)) as of_fatigue,
        cast(
            load_trimp * (1 - exp(-1 / fitness_days)) * exp(-(age_days - 1) / fitness_days) as decimal(28, 9)
        ) as of_fitness_before,
        cast(
            load_trimp * (1 - exp(-1 / fatigue_days)) * exp(-(age_days - 1) / fatigue_days) as decimal(28, 9)
        ) as of_fatigue_before,
        cast(
            load_trimp * 2 / (recent_days + 1) * power(1 - 2.0 / (recent_days + 1), age_days) as decimal(28, 9)
        ) as of_recent,
        cast(load_trimp * 2 / (usual_days + 1) * power(1 - 2.0 / (usual_days + 1), age_days) as decimal(28, 9)) as of_usual

    from aged

),

sums as (

    select
        user_id,
        local_date,
        max(case when age_days = 0 then load_trimp end) as load_trimp,
        max(age_days) + 1 as history_days,
        max(recent_days) as recent_days,
        max(usual_days) as usual_days,
        cast(coalesce(sum(of_fitness), 0) as double) as ctl,
        cast(coalesce(sum(of_fatigue), 0) as double) as atl,
        cast(sum(case when age_days > 0 then of_fitness_before end) as double) as ctl_before,
        cast(sum(case when age_days > 0 then of_fatigue_before end) as double) as atl_before,
        cast(count(case when age_days < 42 and load_trimp is null then 1 end) as integer) as missing_42_day_count,
        count(case when age_days < recent_days then load_trimp end) as recent_count,
        sum(case when age_days < recent_days then load_trimp end) as recent_sum,
        sum(case when age_days < recent_days then load_trimp * load_trimp end) as recent_square_sum,
        count(case when age_days < usual_days then load_trimp end) as usual_count,
        sum(case when age_days < usual_days then load_trimp end) as usual_sum,
        count(case when age_days >= recent_days and age_days < usual_days then load_trimp end) as earlier_count,
        sum(case when age_days >= recent_days and age_days < usual_days then load_trimp end) as earlier_sum,
        cast(sum(of_recent) as double) as ewma_recent,
        cast(sum(of_usual) as double) as ewma_usual

    from weighted

    group by user_id, local_date

),

ratios as (

    select
        *,
        cast(recent_sum as double) / recent_days as recent_mean,
        case
            when recent_count = recent_days and recent_days > 1
                and recent_square_sum * recent_days > recent_sum * recent_sum
                then sqrt(
                    cast(recent_square_sum * recent_days - recent_sum * recent_sum as double) / (recent_days * (recent_days - 1))
                )
        end as recent_sd,
        history_days >= usual_days and recent_count = recent_days and usual_count = usual_days as is_comparable

    from sums

),

days as (

    select
        ratios.user_id,                     -- person
        ratios.local_date,                  -- the person's date
        loads.workout_count,                -- workouts that count
        cast(ratios.load_trimp as double)
            as load_trimp,                  -- training impulse of the date; null = not known
        case when ratios.load_trimp is not null then round(ratios.ctl, 6) end
            as fitness_ctl,                 -- chronic load, TRIMP a day
        case when ratios.load_trimp is not null then round(ratios.atl, 6) end
            as fatigue_atl,                 -- acute load, TRIMP a day
        round(ratios.ctl_before - ratios.atl_before, 6)
            as form_tsb,                    -- yesterday's chronic load less yesterday's acute load; null on the first day
        cast(ratios.history_days as integer)
            as history_days,                -- days since the person's first that weigh in, 252 at most
        ratios.missing_42_day_count,        -- days of the last 42 whose load is not known and was taken for none
        case when ratios.is_comparable and ratios.usual_sum > 0
            then round(ratios.recent_mean / (cast(ratios.usual_sum as double) / ratios.usual_days), 9) end
            as recent_to_usual_load,        -- mean load of 7 days by that of 28 days, these included; needs all 28
        case when ratios.is_comparable and ratios.earlier_sum > 0
            then round(ratios.recent_mean / (cast(ratios.earlier_sum as double) / ratios.earlier_count), 9) end
            as recent_to_earlier_load,      -- mean load of 7 days by that of the 21 days before them; needs all 28
        case when ratios.is_comparable and ratios.ewma_usual > 0 then round(ratios.ewma_recent / ratios.ewma_usual, 8) end
            as recent_to_usual_load_ewma,   -- the same by exponential means of 7 and 28 days
        case when ratios.recent_count = ratios.recent_days then cast(ratios.recent_sum as double) end
            as week_load_trimp,             -- load of the 7 days to the date; null unless all are known
        round(ratios.recent_mean / ratios.recent_sd, 9)
            as monotony,                    -- mean load of these 7 days by its standard deviation; null when that is 0
        round(cast(ratios.recent_sum as double) * ratios.recent_mean / ratios.recent_sd, 6)
            as strain,                      -- their load x monotony
        'training_load_days/1'
            as method_version               -- formula of this row

    from ratios
    inner join loads
        on ratios.user_id = loads.user_id
        and ratios.local_date = loads.local_date

)

select * from days
