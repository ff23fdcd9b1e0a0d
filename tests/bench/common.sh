# What the parts of the bench share: the database, the load, the CPU of a process, and where figures go.
# shellcheck shell=bash disable=SC2154
sql() { psql -XAtq "$FAIRLEAD_DATABASE_URL" -c "$1"; }
within() { # SECONDS COMMAND...: until it holds
  local end=$((SECONDS + $1))
  shift
  until "$@"; do
    [ $SECONDS -lt "$end" ] || { echo "bench: not in time: $*" >&2; exit 1; }
    read -r -t 0.02 <> <(:) || true
  done
}
is() { [ "$(sql "$2")" = "$1" ]; }
# Closed loop: as many as they come. "rate p50 p99 errors", times in ms.
post() { # TAG THREADS CONNECTIONS [SECONDS]
  TAG=$1 wrk -t"$2" -c"$3" -d"${4:-$seconds}s" --latency -s "$here/post.lua" "$FAIRLEAD_SERVER" | sed -n 's/^RESULT //p'
}
# About so many a second: 50 connections, each of which waits in between.
post_at() { RATE=$2 post "$1" 1 50 "${3:-$seconds}"; }
# A version before there were acts has no column for them.
rows_sql() {
  if is 1 "select count(*) from information_schema.columns where table_name = 'steps' and column_name = 'act'"; then
    cat "$here/rows.sql"
  else
    sed "s/step, act, part/step, part/; s/'noop', 'noop', '',/'noop', '',/" "$here/rows.sql"
  fi
}
rows_customers() { # of the denominator's clients
  sql "insert into customers (id, name, title, plan_id, created_at) select gen_random_uuid(), 'rows' || n, 'Rows', p.id, now()
      from generate_series(0, 63) n, plans p where p.name = 'trial' on conflict (name) do nothing;
    insert into tenants (id, customer_id, name, title, created_at) select gen_random_uuid(), c.id, 'main', 'Main', now()
      from customers c where c.name like 'rows%' on conflict do nothing"
}
rows() { # CONNECTIONS [OPTION...]: the same rows by pgbench
  local connections=$1
  shift
  rows_sql >"$fleet/rows.sql"
  PGOPTIONS='-c synchronous_commit=on' pgbench -n -M prepared -f "$fleet/rows.sql" -c "$connections" -j"$((connections > 1 ? 2 : 1))" -T "$seconds" "$@" "$FAIRLEAD_DATABASE_URL" 2>/dev/null
}
# Asked again and again while others are measured, so of the open steps only: a look at every instance took both cores.
# The rows of the denominator are open for a day.
settled() { is 0 "select count(*) from steps where state = 'open' and next_at < now() + interval '2 hours'"; }
count_of() { sql "select count(*) from instances where name like '$1%'"; }
now_us() { local t=$EPOCHREALTIME; echo $((${t%.*} * 1000000 + 10#${t#*.})); }
# Microseconds of CPU that these processes have used.
cpu_us() { # PID...
  local pid
  for pid in "$@"; do cat "/proc/$pid/stat" 2>/dev/null || true; done | awk -v hz="$(getconf CLK_TCK)" '{sub(/^.*\) /, ""); n += $12 + $13} END {printf "%d\n", n * 1e6 / hz}'
}
pid_of() { cat "$fleet/$1.pid"; }
postgres_pids() { pgrep -u postgres -x postgres; }
kafka_pid() { pgrep -f 'kafka\.Kafka ' | head -n 1; }
# A sample of a figure; run takes the median of the rounds, and the least and the most.
sample() { printf '%s\t%s\n' "$1" "$2" >>"$raw"; }
part_of() { # PART: a coordinator that is only that
  FAIRLEAD_STATE=$fleet/coordinator setsid "$BUILD/fairlead-coordinator" "$1" >>"$fleet/bench-$1.log" 2>&1 </dev/null &
  echo $! >"$fleet/bench-$1.pid"
  disown
}
stop_part() { # NAME [SIGNAL]
  local pid
  pid=$(pid_of "$1")
  kill "-${2:-TERM}" "$pid"
  within 30 gone "$pid"
}
gone() { ! grep -qs "^State:.[^Z]" "/proc/$1/status"; }
start_coordinator() {
  FAIRLEAD_STATE=$fleet/coordinator setsid "$BUILD/fairlead-coordinator" run >>"$fleet/coordinator.log" 2>&1 </dev/null &
  echo $! >"$fleet/coordinator.pid"
  disown
}
ready() { curl -fs -m 2 "$FAIRLEAD_SERVER/readyz" >/dev/null; }
