-- stg_night_dates: the dates on which samples of a main sleep may lie.
--
-- grain:    user_id, night_date, local_date
-- inputs:   sleep_nights
-- build:    view
-- caution:  the first is the earliest that any clock on earth shows when the sleep begins: a device may have another than
--           the night was told by

with

nights as (

    select
        user_id,
        night_date,
        sleep_onset_at,
        sleep_offset_at,
        cast(make_timestamp(epoch_us(sleep_onset_at)) - interval 12 hour as date) as first_date

    from sleep_nights

    where sleep_onset_at is not null

),

dates_of_nights as (

    select
        *,
        night_date - cast(unnest([0, 1, 2]) as integer) as local_date

    from nights

),

dates as (

    select
        user_id,         -- person
        night_date,      -- the person's date of waking
        local_date,      -- the person's date on which samples may lie
        sleep_onset_at,  -- first moment asleep, UTC
        sleep_offset_at  -- last moment asleep, UTC

    from dates_of_nights

    where local_date >= first_date

)

select * from dates
