-- stg_heart_rate_hours: the hours of heart rate as silver has them, without the samples that cannot be true.
--
-- grain:    user_id, local_date, device_id, hour_at, utc_offset_min, period_ms, source
-- inputs:   silver.series_hours, stg_metric_days, stg_heart_rate_sentinels, definitions
-- build:    view
-- caution:  an hour begins anew: its first valid sample is not judged by the hour before

with

rules as (

    select
        cast(max(case when name = 'heart_rate_lowest_bpm' then value end) as integer) as lowest_bpm,
        cast(max(case when name = 'heart_rate_highest_bpm' then value end) as integer) as highest_bpm,
        max(case when name = 'heart_rate_jump_bpm_per_s' then value end) as jump_bpm_per_s

    from definitions

),

hours as (

    select
        series_hours.user_id,
        series_hours.local_date,
        series_hours.device_id,
        series_hours.hour_at,
        series_hours.source,
        series_hours.utc_offset_min,
        series_hours.period_ms,
        series_hours.offsets_ms,
        series_hours."values",
        stg_metric_days.is_shared,
        stg_metric_days.is_by_minute,
        len(series_hours.offsets_ms) = 1 and series_hours.period_ms > 0 as is_regular,
        list_min(series_hours."values") as lowest_bpm,
        list_max(series_hours."values") as highest_bpm,
        rules.lowest_bpm as least_bpm,
        rules.highest_bpm as most_bpm,
        rules.jump_bpm_per_s,
        stg_heart_rate_sentinels.sentinel_values

    from silver.series_hours
    inner join stg_metric_days
        on series_hours.user_id = stg_metric_days.user_id
        and series_hours.local_date = stg_metric_days.local_date
        and series_hours.metric = stg_metric_days.metric
    left join stg_heart_rate_sentinels
        on series_hours.device_id = stg_heart_rate_sentinels.device_id
    cross join rules

    where series_hours.metric = 'heart_rate'

),

-- Most hours are beyond doubt by their lowest and highest sample: they are passed on as they are.
sifted_hours as (

    select
        *,
        lowest_bpm < least_bpm
        or highest_bpm > most_bpm
        or (highest_bpm - lowest_bpm) * 1000 > jump_bpm_per_s * period_ms
        or coalesce(list_has_any("values", sentinel_values), false) as is_doubtful

    from hours

),

possible_samples as (

    select
        *,
        case
            when is_doubtful
                then list_filter(
                    list_transform(
                        generate_series(1, len("values")),
                        lambda i: {
                            'offset_ms': case when is_regular then offsets_ms[1] + cast(i - 1 as integer) * period_ms else offsets_ms[i] end,
                            'bpm': "values"[i]
                        }
                    ),
                    lambda s: s.bpm between least_bpm and most_bpm and not coalesce(list_contains(sentinel_values, s.bpm), false)
                )
        end as possible

    from sifted_hours

),

-- A sample that no heart can have reached since the last one kept is left out.
kept_samples as (

    select
        *,
        case
            when not is_doubtful then null
            when coalesce(
                list_bool_or(
                    list_transform(
                        possible[2:],
                        lambda s, i: abs(s.bpm - possible[i].bpm) * 1000 > jump_bpm_per_s * (s.offset_ms - possible[i].offset_ms)
                    )
                ),
                false
            )
                then list_reduce(
                    list_transform(possible, lambda s: [s]),
                    lambda kept, next: case
                        when
                            abs(next[1].bpm - kept[len(kept)].bpm) * 1000
                            > jump_bpm_per_s * (next[1].offset_ms - kept[len(kept)].offset_ms)
                            then kept
                        else list_concat(kept, next)
                    end
                )
            else possible
        end as kept

    from possible_samples

),

cleaned_hours as (

    select
        user_id,            -- person
        local_date,         -- the person's date
        device_id,          -- device that measured it
        hour_at,            -- the UTC hour
        source,             -- native, import or manual
        utc_offset_min,     -- min east of UTC, as recorded
        period_ms,          -- ms that a sample covers from its start; 0 = spot values
        is_shared,          -- several devices recorded heart rate on the date
        is_by_minute,       -- one device gave one sample a minute on the date, no more
        is_regular and (not is_doubtful or len(kept) = len("values"))
            as is_regular,  -- samples follow each other from the one offset on
        case
            when is_regular and (not is_doubtful or len(kept) = len("values")) then offsets_ms
            when is_doubtful then list_transform(kept, lambda s: s.offset_ms)
            else offsets_ms
        end
            as offsets_ms,  -- ms after hour_at; one when regular, else one for each value
        case when is_doubtful then list_transform(kept, lambda s: s.bpm) else "values" end
            as rates_bpm,   -- beats/min
        case when is_doubtful then len("values") - len(kept) else 0 end
            as refused_count,   -- samples left out: impossible, sentinels, or jumps
        case when is_doubtful then list_min(list_transform(kept, lambda s: s.bpm)) else lowest_bpm end
            as lowest_bpm,      -- beats/min, lowest valid sample; null when there is none
        case when is_doubtful then list_max(list_transform(kept, lambda s: s.bpm)) else highest_bpm end
            as highest_bpm      -- beats/min, highest valid sample; null when there is none

    from kept_samples

)

select * from cleaned_hours
