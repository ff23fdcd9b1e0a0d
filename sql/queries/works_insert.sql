insert into works ({works}) select * from unnest({works arrays}) order by 1 on conflict (key) do nothing
