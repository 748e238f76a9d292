-- stg_device_sentinels: values that are no measurement but a device's way to say "not measured".
--
-- grain:    metric, device_pattern, value
-- inputs:   none
-- build:    view
-- caution:  a pattern is compared with device ids, % is every device: a maker whose ids begin with the model adds rows here

with

sentinels as (

    select
        metric,         -- name in the metrics table
        device_pattern, -- of device ids, as "like" reads it
        value           -- in the metric's unit

    from (
        values
            ('heart_rate', '%', -1),
            ('heart_rate', '%', 0),
            ('heart_rate', '%', 3),
            ('heart_rate', '%', 255)
    ) as rows_of_table (metric, device_pattern, value)

)

select * from sentinels
