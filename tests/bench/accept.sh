# Accepting, and the whole pipeline behind it: HTTP, row, order, worker, report, row. Sourced by run.
# shellcheck shell=bash disable=SC2154
cpu_of_all() {
  local kafka
  kafka=$(kafka_pid)
  # shellcheck disable=SC2046
  echo "$(cpu_us "$(pid_of coordinator)") $(cpu_us "$(pid_of server)" "$(pid_of slave)") $(cpu_us $(postgres_pids)) $(cpu_us "$kafka")"
}
wal_and_commits() { sql "select pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0') || ' ' || xact_commit from pg_stat_database where datname = current_database()"; }
# Ours and the denominator take turns in being first.
is_even() { [ $((${1##*-} % 2)) = 0 ]; }
ceiling() { sample rows_per_s "$(rows 64 | sed -n 's/^tps = \([0-9.]*\).*/\1/p')"; }
accept() { # ROUND
  local tag=r$1- rate p50 p99 errors n before after wal
  if is_even "$1"; then ceiling; fi
  read -r -a before <<<"$(cpu_of_all)"
  read -r -a wal <<<"$(wal_and_commits)"
  read -r rate p50 p99 errors < <(post "$tag" 2 64)
  within 60 settled
  read -r -a after <<<"$(cpu_of_all)"
  n=$(count_of "$tag")
  read -r -a wal <<<"${wal[*]} $(wal_and_commits)"
  sample accept_per_s "$rate"
  sample accept_p50_ms "$p50"
  sample accept_p99_ms "$p99"
  sample accept_errors "$errors"
  sample pipeline_per_s "$(sql "select round(count(*) / extract(epoch from max(n.ended_at) - min(n.accepted_at))) from intents n join instances i on i.id = n.instance_id where i.name like '$tag%' and n.state = 'done'")"
  local i names=(coordinator workers postgresql kafka)
  for i in 0 1 2 3; do sample "cpu_us_per_intent_${names[i]}" $(((after[i] - before[i]) / n)); done
  sample wal_bytes_per_intent $(((wal[2] - wal[0]) / n))
  sample commits_per_intent "$(awk -v a="${wal[1]}" -v b="${wal[3]}" -v n="$n" 'BEGIN {printf "%.3f", (b - a) / n}')"
  is_even "$1" || ceiling
}
# The same, asked for with a customer's token; a version before there were any asks as its operator.
accept_as_customer() { # ROUND
  local rate
  read -r rate _ _ _ < <(TOKEN=$customer_token post "c$1-" 2 64)
  within 60 settled
  sample accept_as_customer_per_s "$rate"
}
# One at a time. Lone: 40 a second, so that nothing of the one before is still on its way; the rows at the same pace.
# Then as fast as the answers come, while the cores also carry out what was accepted.
lone() { # ROUND
  local tag=l$1- p50
  read -r _ p50 _ _ < <(RATE=2000 post "$tag" 1 1)
  within 60 settled
  sample lone_p50_ms "$p50"
  sample lone_done_p50_ms "$(sql "select round(extract(epoch from percentile_cont(0.5) within group (order by took)) * 1000, 2) from time_to_running_v1 where instance like '$tag%'")"
  sample lone_rows_ms "$(rows 1 -R 40 | sed -n 's/^latency average = \([0-9.]*\).*/\1/p')"
}
busy() { # ROUND
  local tag=y$1- p50
  read -r _ p50 _ _ < <(post "$tag" 1 1)
  within 60 settled
  sample busy_p50_ms "$p50"
  sample busy_rows_ms "$(rows 1 | sed -n 's/^latency average = \([0-9.]*\).*/\1/p')"
}
# From the transaction that accepts to the worker that begins, by the workers' own logs.
pickup() { # ROUND RATE
  local tag=k$1-$2- name rate
  local -A from=()
  for name in server slave; do from[$name]=$(wc -c <"$fleet/$name.log"); done
  read -r rate _ _ _ < <(post_at "$tag" "$2")
  within 60 settled
  sample "pickup_offered_$2" "$rate"
  for name in server slave; do tail -c +$((from[$name] + 1)) "$fleet/$name.log"; done | sed -n 's/.* kind="noop" .*waited_us=\([0-9]*\).*/\1/p' | sort -n |
    awk '{v[NR] = $1} END {printf "%.2f %.2f\n", v[int((NR + 1) / 2)] / 1000, v[int(NR * 0.99)] / 1000}' >"$raw.pickup"
  sample "pickup_p50_ms_$2" "$(cut -d' ' -f1 "$raw.pickup")"
  sample "pickup_p99_ms_$2" "$(cut -d' ' -f2 "$raw.pickup")"
}
