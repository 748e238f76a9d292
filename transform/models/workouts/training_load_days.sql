-- training_load_days: one row per person and date of user_days or with a workout that counts: what training came to.
--
-- grain:    user_id, local_date
-- inputs:   user_days, workout_summaries, stg_tags, definitions
-- build:    table
-- lookback: 282 days
-- reach:    282 days recorded
-- go:       training_load_days
-- order:    none
-- output:   user_id varchar: person
-- output:   local_date date: the person's date
-- output:   workout_count integer: workouts that count
-- output:   load_trimp double: training impulse of the date; null = not known, or not of all its workouts
-- output:   fitness_ctl double: chronic load, TRIMP a day
-- output:   fatigue_atl double: acute load, TRIMP a day
-- output:   form_tsb double: yesterday's chronic load less yesterday's acute load; null on the first day
-- output:   history_days integer: days since the person's first that weigh in, 252 at most
-- output:   missing_42_day_count integer: days of the last 42 whose load is not known; of these weighs in what their workouts told
-- output:   recent_to_usual_load double: mean load of 7 days by that of 28 days, these included; needs all 28
-- output:   recent_to_earlier_load double: mean load of 7 days by that of the 21 days before them; needs all 28
-- output:   recent_to_usual_load_ewma double: the same by exponential means of 7 and 28 days
-- output:   week_load_trimp double: load of the 7 days to the date; null unless all are known
-- output:   monotony double: mean load of these 7 days by its standard deviation; null when that is 0
-- output:   strain double: their load x monotony
-- source:   load is the TRIMP of the workouts that count; CTL and ATL decay by 1 - e^(-1/tau), tau 42 and 7 days, TSB is
--           yesterday's CTL - ATL; recent against usual load over 7 and 28 days, coupled, uncoupled and by EWMA; monotony is
--           the week's mean by its standard deviation, strain is load x monotony (methods 3.4)
-- audit:    load_trimp is null or load_trimp >= 0
-- audit:    fitness_ctl is null or fitness_ctl >= 0
-- audit:    fatigue_atl is null or fatigue_atl >= 0
-- audit:    workout_count >= 0
-- audit:    missing_42_day_count between 0 and 42
-- caution:  a day without a workout is a day of no load only when it was worn or declared a rest; otherwise its load is not
--           known, nor is that of a day with a workout that has no TRIMP: the days after take what is missing for none. CTL begins at 0: it is too low for the first weeks. Recent against
--           usual load says how much changed and nothing about injuries
-- method:   training_load_days/1

with

rules as (

    select
        max(case when name = 'load_fitness_days' then value end) as fitness_days,
        max(case when name = 'load_fatigue_days' then value end) as fatigue_days,
        max(case when name = 'load_window_days' then value end) as window_days,
        max(case when name = 'load_recent_days' then value end) as recent_days,
        max(case when name = 'load_usual_days' then value end) as usual_days

    from definitions

),

wanted as (

    select
        user_id,
        list(cast(local_date - date '1970-01-01' as integer)) as dates

    from dirty_days

    group by user_id

),

spines as (

    select
        user_id,
        list(cast(local_date - date '1970-01-01' as integer)) as dates,
        list(cast(local_date - date '1970-01-01' as integer)) filter (where is_valid_day) as valid_dates

    from user_days

    group by user_id

),

-- A rest that is declared for longer may have begun 30 days before the days that weigh in.
rests as (

    select
        user_id,
        list(cast(local_date - date '1970-01-01' as integer)) as dates

    from stg_tags

    where tag = 'rest_day'

    group by user_id

),

workout_days as (

    select
        user_id,
        cast(local_date - date '1970-01-01' as integer) as date_number,
        cast(count(*) as integer) as workout_count,
        cast(sum(cast(trimp as decimal(18, 2))) * 100 as integer) as load_hundredths,
        count(trimp) < count(*) as is_partly_loaded

    from workout_summaries

    where is_counted

    group by user_id, local_date

),

workouts as (

    select
        user_id,
        list(date_number order by date_number) as dates,
        list(workout_count order by date_number) as counts,
        list(date_number order by date_number) filter (where load_hundredths is not null) as loaded_dates,
        list(load_hundredths order by date_number) filter (where load_hundredths is not null) as loads_hundredths,
        list(date_number) filter (where load_hundredths is not null and is_partly_loaded) as partly_loaded_dates

    from workout_days

    group by user_id

),

-- Dates are numbers of days since 1970-01-01.
people as (

    select
        wanted.user_id,
        wanted.dates as wanted_dates,
        spines.dates as spine_dates,
        spines.valid_dates,
        rests.dates as rest_dates,
        workouts.dates as workout_dates,
        workouts.counts as workout_counts,
        workouts.loaded_dates,
        workouts.loads_hundredths,
        workouts.partly_loaded_dates,
        rules.fitness_days,
        rules.fatigue_days,
        rules.window_days,
        rules.recent_days,
        rules.usual_days

    from wanted
    left join spines on wanted.user_id = spines.user_id
    left join rests on wanted.user_id = rests.user_id
    left join workouts on wanted.user_id = workouts.user_id
    cross join rules

)

select * from people
