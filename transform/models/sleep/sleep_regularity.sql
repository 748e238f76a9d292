-- sleep_regularity: one row per person and night: when the person sleeps, how evenly, and how work days and free days differ.
--
-- grain:    user_id, night_date
-- inputs:   sleep_nights, sleep_day_pairs, work_days, definitions
-- build:    table
-- lookback: 89 days
-- reach:    89 days recorded
-- source:   medians and circular SD of 14 nights' onset and offset (sqrt(-2 ln R)); sleep regularity index of 14 days,
--           -100 + 200 x share of time in the same state as 24 h before (Phillips 2017, missing time after Windred 2021);
--           of 90 days mid-sleep on free days and work days, their difference (social jetlag) and mid-sleep on free days
--           corrected for sleep made up for (MSFsc, Roenneberg); methods 1.7
-- audit:    sri between -100 and 100
-- audit:    social_jetlag_min between -720 and 720
-- audit:    bedtime_median_minute >= 0 and bedtime_median_minute < 1440
-- audit:    wake_median_minute >= 0 and wake_median_minute < 1440
-- audit:    bedtime_sd_min >= 0 and wake_sd_min >= 0
-- audit:    msf_sc_minute is null or social_jetlag_min is not null
-- caution:  consistency of bedtimes (SD) and the regularity index are different quantities; work and free days are those the
--           person declared, never guessed from the weekday; MSFsc is null when an alarm ended a free night
-- method:   sleep_regularity/1

with

rules as (

    select
        cast(max(case when name = 'regularity_night_count' then value end) as integer) as night_count,
        max(case when name = 'regularity_night_count_min' then value end) as night_count_min,
        cast(max(case when name = 'sri_day_count' then value end) as integer) as sri_day_count,
        max(case when name = 'sri_day_pair_count_min' then value end) as sri_pair_count_min,
        cast(max(case when name = 'chronotype_day_count' then value end) as integer) as chronotype_day_count,
        cast(max(case when name = 'chronotype_span_day_min' then value end) as integer) as chronotype_span_day_min,
        max(case when name = 'chronotype_free_night_count_min' then value end) as chronotype_free_count_min,
        max(case when name = 'chronotype_work_night_count_min' then value end) as chronotype_work_count_min,
        max(case when name = 'jetlag_free_night_count_min' then value end) as jetlag_free_count_min,
        max(case when name = 'jetlag_work_night_count_min' then value end) as jetlag_work_count_min

    from definitions

),

timed_nights as (

    select
        user_id,
        night_date,
        (date_diff('minute', timestamptz '1970-01-01 00:00:00+00', sleep_onset_at) + onset_utc_offset_min) % 1440
            as onset_minute,
        (date_diff('minute', timestamptz '1970-01-01 00:00:00+00', sleep_offset_at) + offset_utc_offset_min) % 1440
            as offset_minute,
        midpoint_minute,
        cast(sleep_period_min as decimal(18, 6)) as sleep_period_min

    from sleep_nights

    where sleep_onset_at is not null

),

dates as (

    select
        sleep_nights.user_id,
        sleep_nights.night_date

    from sleep_nights
    inner join dirty_days
        on sleep_nights.user_id = dirty_days.user_id
        and sleep_nights.night_date = dirty_days.local_date

),

last_nights as (

    select
        dates.user_id,
        dates.night_date,
        timed_nights.night_date as past_date,
        timed_nights.onset_minute,
        timed_nights.offset_minute,
        timed_nights.midpoint_minute

    from dates
    cross join rules
    inner join timed_nights
        on dates.user_id = timed_nights.user_id
        and timed_nights.night_date > dates.night_date - rules.night_count
        and timed_nights.night_date <= dates.night_date

),

clock_times as (

    select user_id, night_date, past_date, 'onset' as edge, onset_minute as minute from last_nights

    union all

    select user_id, night_date, past_date, 'offset' as edge, offset_minute as minute from last_nights

),

-- The time from which all others are nearest, the short way round the clock; the median is that of the distances from it.
distances as (

    select
        centre.user_id,
        centre.night_date,
        centre.edge,
        centre.minute,
        sum(least(abs(centre.minute - other.minute), 1440 - abs(centre.minute - other.minute))) as distance_min,
        -- Decimals, because a sum of doubles depends on the order of its terms.
        sum(cast(cos((centre.minute - other.minute) * pi() / 720) as decimal(18, 15))) as cosine_sum

    from clock_times as centre
    inner join clock_times as other
        on centre.user_id = other.user_id
        and centre.night_date = other.night_date
        and centre.edge = other.edge

    group by centre.user_id, centre.night_date, centre.edge, centre.past_date, centre.minute

),

centres_ranked as (

    select
        distances.*,
        row_number() over (partition by user_id, night_date, edge order by distance_min, minute) as closeness

    from distances

),

unrolled as (

    select
        clock_times.user_id,
        clock_times.night_date,
        clock_times.edge,
        centres_ranked.minute as centre_minute,
        (clock_times.minute - centres_ranked.minute + 720 + 1440) % 1440 - 720 as from_centre_min,
        row_number() over (
            partition by clock_times.user_id, clock_times.night_date, clock_times.edge
            order by (clock_times.minute - centres_ranked.minute + 720 + 1440) % 1440
        ) as place,
        count(*) over (partition by clock_times.user_id, clock_times.night_date, clock_times.edge) as night_count

    from clock_times
    inner join centres_ranked
        on clock_times.user_id = centres_ranked.user_id
        and clock_times.night_date = centres_ranked.night_date
        and clock_times.edge = centres_ranked.edge
        and centres_ranked.closeness = 1

),

-- R squared is the mean cosine over all pairs: with times that are all the same it is 1 and nothing else.
spreads as (

    select
        user_id,
        night_date,
        edge,
        cast(sum(cosine_sum) as double) / (count(*) * count(*)) as r_squared

    from distances

    group by user_id, night_date, edge

),

clock_figures as (

    select
        unrolled.user_id,
        unrolled.night_date,
        unrolled.edge,
        min(unrolled.night_count) as night_count,
        min(unrolled.centre_minute) + (
            min(case when unrolled.place = ceil(unrolled.night_count / 2.0) then unrolled.from_centre_min end)
            + min(case when unrolled.place = floor(unrolled.night_count / 2.0) + 1 then unrolled.from_centre_min end)
        ) / 2.0 + 1440 as median_minute,
        -- Of times evenly spread round the clock R is 0 or a rounding about it: they have no SD.
        min(case when spreads.r_squared > 0.000001 then sqrt(abs(ln(least(1.0, spreads.r_squared)))) * 720 / pi() end) as sd_min

    from unrolled
    inner join spreads
        on unrolled.user_id = spreads.user_id
        and unrolled.night_date = spreads.night_date
        and unrolled.edge = spreads.edge

    group by unrolled.user_id, unrolled.night_date, unrolled.edge

),

midpoints as (

    select
        user_id,
        night_date,
        count(*) as night_count,
        atan2(
            cast(sum(cast(sin(midpoint_minute * pi() / 720) as decimal(18, 15))) as double),
            cast(sum(cast(cos(midpoint_minute * pi() / 720) as decimal(18, 15))) as double)
        ) * 720 / pi() + 1440 as mean_minute

    from last_nights

    group by user_id, night_date

),

sri_sums as (

    select
        dates.user_id,
        dates.night_date,
        count(*) as day_pair_count,
        sum(sleep_day_pairs.observed_ms) as observed_ms,
        -100 + 200 * cast(sum(sleep_day_pairs.agreed_ms) as double) / sum(sleep_day_pairs.observed_ms) as sri

    from dates
    cross join rules
    inner join sleep_day_pairs
        on dates.user_id = sleep_day_pairs.user_id
        and sleep_day_pairs.local_date > dates.night_date - rules.sri_day_count
        and sleep_day_pairs.local_date <= dates.night_date

    group by dates.user_id, dates.night_date

),

declared_nights as (

    select
        dates.user_id,
        dates.night_date,
        timed_nights.night_date as past_date,
        work_days.day_kind,
        work_days.is_alarm,
        timed_nights.sleep_period_min,
        cast(sin(timed_nights.midpoint_minute * pi() / 720) as decimal(18, 15)) as sine,
        cast(cos(timed_nights.midpoint_minute * pi() / 720) as decimal(18, 15)) as cosine

    from dates
    cross join rules
    inner join timed_nights
        on dates.user_id = timed_nights.user_id
        and timed_nights.night_date > dates.night_date - rules.chronotype_day_count
        and timed_nights.night_date <= dates.night_date
    inner join work_days
        on timed_nights.user_id = work_days.user_id
        and timed_nights.night_date = work_days.local_date

),

kinds as (

    select
        user_id,
        night_date,
        min(past_date) as first_date,
        sum(case when day_kind = 'free' then 1 else 0 end) as free_count,
        sum(case when day_kind = 'work' then 1 else 0 end) as work_count,
        sum(case when day_kind = 'free' and is_alarm then 1 else 0 end) as free_alarm_count,
        cast(sum(case when day_kind = 'free' then sleep_period_min end) as double) as free_sleep_min,
        cast(sum(case when day_kind = 'work' then sleep_period_min end) as double) as work_sleep_min,
        atan2(
            cast(sum(case when day_kind = 'free' then sine end) as double),
            cast(sum(case when day_kind = 'free' then cosine end) as double)
        ) * 720 / pi() + 1440 as msf_minute,
        atan2(
            cast(sum(case when day_kind = 'work' then sine end) as double),
            cast(sum(case when day_kind = 'work' then cosine end) as double)
        ) * 720 / pi() + 1440 as msw_minute

    from declared_nights

    group by user_id, night_date

),

weeks as (

    select
        kinds.*,
        free_sleep_min / nullif(free_count, 0) as sd_free_min,
        work_sleep_min / nullif(work_count, 0) as sd_work_min,
        -- The mean over a week with as many work days as there were among the declared ones.
        (free_sleep_min + work_sleep_min) / nullif(free_count + work_count, 0) as sd_week_min,
        -- The shorter way round the clock from mid-sleep on work days to that on free days.
        (msf_minute - msw_minute + 2160) - floor((msf_minute - msw_minute + 2160) / 1440) * 1440 - 720 as jetlag_min

    from kinds

),

gated as (

    select
        weeks.*,
        weeks.free_count >= rules.jetlag_free_count_min
        and weeks.work_count >= rules.jetlag_work_count_min as has_jetlag,
        weeks.free_count >= rules.chronotype_free_count_min
        and weeks.work_count >= rules.chronotype_work_count_min
        and weeks.free_alarm_count = 0
        and weeks.first_date <= weeks.night_date - rules.chronotype_span_day_min as has_chronotype,
        weeks.msf_minute
        - case when weeks.sd_free_min > weeks.sd_work_min then (weeks.sd_free_min - weeks.sd_week_min) / 2 else 0 end
        + 1440 as msf_sc_minute

    from weeks
    cross join rules

),

nights as (

    select
        dates.user_id,                  -- person
        dates.night_date,               -- the person's date of waking
        cast(coalesce(bedtimes.night_count, 0) as integer)
            as timed_night_count,       -- nights of the last 14 with an onset
        case when bedtimes.night_count >= rules.night_count_min
            then bedtimes.median_minute - floor(bedtimes.median_minute / 1440) * 1440 end
            as bedtime_median_minute,   -- min after midnight, median onset of 14 nights; null with fewer than 5
        case when bedtimes.night_count >= rules.night_count_min then bedtimes.sd_min end
            as bedtime_sd_min,          -- min, circular SD of the onsets: consistency of bedtimes
        case when wakings.night_count >= rules.night_count_min
            then wakings.median_minute - floor(wakings.median_minute / 1440) * 1440 end
            as wake_median_minute,      -- min after midnight, median offset of 14 nights
        case when wakings.night_count >= rules.night_count_min then wakings.sd_min end
            as wake_sd_min,             -- min, circular SD of the offsets
        case when midpoints.night_count >= rules.night_count_min
            then midpoints.mean_minute - floor(midpoints.mean_minute / 1440) * 1440 end
            as midpoint_mean_minute,    -- min after midnight, circular mean of the nights' middles
        case when sri_sums.day_pair_count >= rules.sri_pair_count_min then sri_sums.sri end
            as sri,                     -- -100 to 100, sleep regularity index of 14 days; null with fewer than 5 pairs
        cast(coalesce(sri_sums.day_pair_count, 0) as integer)
            as sri_day_pair_count,      -- days of them that could be compared with the day before
        cast(coalesce(gated.free_count, 0) as integer)
            as free_night_count,        -- nights of 90 days that ended on a declared free day
        cast(coalesce(gated.work_count, 0) as integer)
            as work_night_count,        -- nights of 90 days that ended on a declared work day
        case when gated.has_jetlag then gated.msf_minute - floor(gated.msf_minute / 1440) * 1440 end
            as msf_minute,              -- min after midnight, circular mean of mid-sleep on free days
        case when gated.has_jetlag then gated.msw_minute - floor(gated.msw_minute / 1440) * 1440 end
            as msw_minute,              -- min after midnight, circular mean of mid-sleep on work days
        case when gated.has_jetlag then gated.jetlag_min end
            as social_jetlag_min,       -- min, MSF - MSW the shorter way; positive = later on free days; 5 and 10 nights
        case when gated.has_jetlag and gated.has_chronotype
            then gated.msf_sc_minute - floor(gated.msf_sc_minute / 1440) * 1440 end
            as msf_sc_minute,           -- min after midnight, chronotype (MSFsc); 8 free and 20 work nights over 12 weeks
        'sleep_regularity/1'
            as method_version           -- formula of this row

    from dates
    cross join rules
    left join clock_figures as bedtimes
        on dates.user_id = bedtimes.user_id
        and dates.night_date = bedtimes.night_date
        and bedtimes.edge = 'onset'
    left join clock_figures as wakings
        on dates.user_id = wakings.user_id
        and dates.night_date = wakings.night_date
        and wakings.edge = 'offset'
    left join midpoints
        on dates.user_id = midpoints.user_id
        and dates.night_date = midpoints.night_date
    left join sri_sums
        on dates.user_id = sri_sums.user_id
        and dates.night_date = sri_sums.night_date
    left join gated
        on dates.user_id = gated.user_id
        and dates.night_date = gated.night_date

)

select * from nights
