-- What of a day counts, as the model that judged the days had it.

select
    name,
    value,
    unit,
    version

from definitions

where name like 'ranking\_%' escape '\'

order by name
