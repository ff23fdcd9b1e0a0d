insert into names ({names}) select * from unnest({names arrays}) order by 1 on conflict (host) do nothing returning host
