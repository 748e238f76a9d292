-- profile_days: one row per person and date of user_days, of a workout or of a reading for which something of the person's
-- profile or goals is known.
--
-- grain:    user_id, local_date
-- inputs:   user_days, events, readings, workouts, definitions
-- build:    table
-- lookback: person
-- reach:    person
-- source:   a day is judged by the profile and the goals of that day, never by today's (product rules I3, A6)
-- audit:    age_years is null or age_years >= 0
-- audit:    body_height_mm is null or body_height_mm > 0
-- caution:  year of birth, sex and height hold also before they were first told, for they were as true then; weight and
--           waist hold from the day they were told. A goal counts from the day after it was told, the first one from its own
--           day; one of 0 or less is none, and takes the one before back. What nobody can be (0 cm tall, born next year)
--           counts as not told, and what was told before goes on. The birthday is not known: age_years is what the person
--           turns in that year
-- method:   profile_days/1

with

rules as (

    select
        max(case when name = 'profile_age_max_years' then value end) as age_max_years,
        max(case when name = 'profile_height_min_mm' then value end) as height_min_mm,
        max(case when name = 'profile_height_max_mm' then value end) as height_max_mm,
        max(case when name = 'profile_weight_min_g' then value end) as weight_min_g,
        max(case when name = 'profile_weight_max_g' then value end) as weight_max_g,
        max(case when name = 'profile_waist_min_mm' then value end) as waist_min_mm,
        max(case when name = 'profile_waist_max_mm' then value end) as waist_max_mm,
        max(case when name = 'heart_rate_max_low_bpm' then value end) as heart_rate_max_low_bpm,
        max(case when name = 'heart_rate_highest_bpm' then value end) as heart_rate_highest_bpm

    from definitions

),

-- What was told, by the day from which it holds. A reading of a scale says as much as a line of the profile.
told as (

    select
        user_id,
        kind,
        name,
        start_at as told_at,
        device_id,
        local_date as from_date,
        value,
        text

    from events

    where kind in ('profile', 'goal')

    union all

    select
        user_id,
        'profile' as kind,
        case metric when 'body_weight' then 'weight_g' else 'height_mm' end as name,
        measured_at as told_at,
        device_id,
        local_date as from_date,
        value,
        cast(null as varchar) as text

    from readings

    where metric in ('body_weight', 'body_height')

),

-- One name for each fact, whatever unit it was told in.
facts as (

    select
        told.user_id,
        told.kind,
        case
            when told.kind = 'goal' then 'goal_' || told.name
            when told.name = 'height_cm' then 'height_mm'
            when told.name = 'waist_cm' then 'waist_mm'
            when told.name = 'weight_kg' then 'weight_g'
            else told.name
        end as fact,
        told.told_at,
        told.device_id,
        told.from_date,
        case
            when told.name in ('height_cm', 'waist_cm') then cast(told.value as bigint) * 10
            when told.name = 'weight_kg' then cast(told.value as bigint) * 1000
            else cast(told.value as bigint)
        end as value,
        nullif(told.text, '') as text

    from told
    inner join (select distinct user_id from dirty_days) as people
        on told.user_id = people.user_id

),

-- What cannot be is as good as not told, and hides nothing that was told before. A goal that is none takes the one
-- before back.
plausible_facts as (

    select
        facts.user_id,
        facts.kind,
        facts.fact,
        facts.told_at,
        facts.device_id,
        facts.from_date,
        case
            when facts.kind = 'goal' and facts.fact <> 'goal_bedtime_min' and facts.value <= 0 then null
            else facts.value
        end as value,
        facts.text

    from facts
    cross join rules

    where
        case facts.fact
            when 'birth_year'
                then extract(year from facts.from_date) - facts.value between 0 and rules.age_max_years
            when 'height_mm' then facts.value between rules.height_min_mm and rules.height_max_mm
            when 'weight_g' then facts.value between rules.weight_min_g and rules.weight_max_g
            when 'waist_mm' then facts.value between rules.waist_min_mm and rules.waist_max_mm
            when 'heart_rate_max_bpm'
                then facts.value between rules.heart_rate_max_low_bpm and rules.heart_rate_highest_bpm
            else true
        end

),

-- The first is the first that says something, and not one that takes back what was never told.
numbered as (

    select
        plausible_facts.*,
        row_number() over (partition by user_id, fact order by told_at, device_id) as told_number,
        count(case when value is not null or text is not null then 1 end) over (
            partition by user_id, fact
            order by told_at, device_id
            rows between unbounded preceding and 1 preceding
        ) = 0 as is_first

    from plausible_facts

),

-- A goal told during a day must not make that day easier: it counts from the next. Before the first there was none.
dated as (

    select
        numbered.*,
        case
            when is_first and fact in ('birth_year', 'sex', 'height_mm') then date '0001-01-01'
            when not is_first and kind = 'goal' then from_date + 1
            else from_date
        end as holds_from_date

    from numbered

),

-- Of two that hold from one day the later counts, and the other never held.
lasting as (

    select
        dated.*,
        lead(holds_from_date) over (partition by user_id, fact order by told_number) as until_date

    from dated

),

-- Who has a scale alone, or records workouts alone, has a height and an age all the same.
dates as (

    select
        user_id,
        local_date

    from user_days

    union

    select
        user_id,
        local_date

    from readings

    union

    select
        user_id,
        local_date

    from workouts

),

days_with_facts as (

    select
        dates.user_id,
        dates.local_date,
        cast(max(case when lasting.fact = 'birth_year' then lasting.value end) as integer) as birth_year,
        max(case when lasting.fact = 'sex' then lasting.text end) as sex,
        max(case when lasting.fact = 'country' then lasting.text end) as country,
        cast(max(case when lasting.fact = 'height_mm' then lasting.value end) as integer) as body_height_mm,
        cast(max(case when lasting.fact = 'weight_g' then lasting.value end) as integer) as body_weight_g,
        cast(max(case when lasting.fact = 'waist_mm' then lasting.value end) as integer) as waist_mm,
        cast(max(case when lasting.fact = 'heart_rate_max_bpm' then lasting.value end) as integer) as heart_rate_max_bpm,
        cast(max(case when lasting.fact = 'day_cut_min' then lasting.value end) as integer) as day_cut_min,
        cast(max(case when lasting.fact = 'goal_steps' then lasting.value end) as integer) as step_count_goal,
        cast(max(case when lasting.fact = 'goal_active_min' then lasting.value end) as integer) as active_goal_min,
        cast(max(case when lasting.fact = 'goal_active_hours' then lasting.value end) as integer) as active_hour_count_goal,
        cast(max(case when lasting.fact = 'goal_sleep_min' then lasting.value end) as integer) as sleep_goal_min,
        cast(max(case when lasting.fact = 'goal_bedtime_min' then lasting.value end) as integer) as bedtime_goal_min,
        cast(max(case when lasting.fact = 'goal_weight_g' then lasting.value end) as integer) as body_weight_goal_g

    from dates
    inner join lasting
        on dates.user_id = lasting.user_id
        and dates.local_date >= lasting.holds_from_date
        and (lasting.until_date is null or dates.local_date < lasting.until_date)

    group by dates.user_id, dates.local_date

),

days as (

    select
        user_id,                -- person
        local_date,             -- the person's date
        birth_year,             -- year of birth
        case when birth_year <= cast(extract(year from local_date) as integer)
            then cast(extract(year from local_date) as integer) - birth_year end
            as age_years,       -- years that the person turns in the year of the date
        sex,                    -- female, male or other, as told
        country,                -- ISO 3166 code, as told
        body_height_mm,         -- mm
        body_weight_g,          -- g, the last that was told or measured
        waist_mm,               -- mm around the waist
        heart_rate_max_bpm,     -- beats/min, highest heart rate as the person knows it
        day_cut_min,            -- min after midnight at which the person's days of sleep are cut; null = by the methods
        step_count_goal,        -- steps a day
        active_goal_min,        -- active min a day
        active_hour_count_goal, -- hours a day with enough steps
        sleep_goal_min,         -- min asleep a night
        bedtime_goal_min,       -- min after midnight, negative before it
        body_weight_goal_g,     -- g
        'profile_days/1'
            as method_version   -- formula of this row

    from days_with_facts

    where
        coalesce(birth_year, body_height_mm, body_weight_g, waist_mm, heart_rate_max_bpm, day_cut_min, step_count_goal,
            active_goal_min, active_hour_count_goal, sleep_goal_min, bedtime_goal_min, body_weight_goal_g) is not null
        or sex is not null
        or country is not null

)

select * from days
