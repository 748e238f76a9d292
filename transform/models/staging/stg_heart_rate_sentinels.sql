-- stg_heart_rate_sentinels: the heart rates by which a device says that it has none, of devices that do.
--
-- grain:    device_id
-- inputs:   silver.series_hours, stg_device_sentinels, definitions
-- build:    view
-- caution:  sentinels that no heart could beat are not among them: the limits of heart rate stop those

with

limits as (

    select
        max(case when name = 'heart_rate_lowest_bpm' then value end) as lowest_bpm,
        max(case when name = 'heart_rate_highest_bpm' then value end) as highest_bpm

    from definitions

),

sentinels as (

    select
        stg_device_sentinels.device_pattern,
        stg_device_sentinels.value

    from stg_device_sentinels
    cross join limits

    where
        stg_device_sentinels.metric = 'heart_rate'
        and stg_device_sentinels.value between limits.lowest_bpm and limits.highest_bpm

),

devices as (

    select distinct device_id

    from silver.series_hours

    where metric = 'heart_rate'

),

values_of_devices as (

    select
        devices.device_id,  -- device
        list(sentinels.value)
            as sentinel_values  -- beats/min that it sends and means none by

    from devices
    inner join sentinels
        on devices.device_id like sentinels.device_pattern

    group by devices.device_id

)

select * from values_of_devices
