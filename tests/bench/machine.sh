# One app against a bare compose up of the same file, and what everything costs while nothing happens. Sourced by run.
# shellcheck shell=bash disable=SC2154
answers() { curl -fs -m 1 -o /dev/null "$@"; }
seconds_since() { awk -v us=$(($(now_us) - $1)) 'BEGIN {printf "%.2f", us / 1e6}'; }
# From the request to the first green answer through the edge; then the same file under names of its own, by hand.
# The image is there; both ask /healthz every 20 ms.
app() { # ROUND
  local name=b$1 start id file bare=$root/build/bench.compose port
  start=$(now_us)
  "$BUILD/fairlead" instance create testapp "$name" --tenant bench/main --size tiny >/dev/null
  # By the edge's address: a client has a rule of its own for *.localhost.
  within 120 answers --connect-to "::$FAIRLEAD_EDGE_ADDRESS:" "http://$name-main-bench.$FAIRLEAD_ZONE:$FAIRLEAD_HTTP_PORT/healthz"
  sample app_s "$(seconds_since "$start")"
  id=$("$BUILD/fairlead" instance get "$name" --tenant bench/main -o json | jq -r .id)
  id=${id//-/}
  file=$(ls "$fleet"/*/stacks/"$id"/compose.yaml)
  rm -rf "$bare" && mkdir "$bare"
  cp -p "$(sed -n 's/^ *source: "\(\/.*\)"/\1/p' "$file")" "$bare/"
  port=$(sed -n 's/.*"127\.0\.[0-9.]*:\([0-9]*\):.*/\1/p' "$file")
  # Without its subnet, which the app's own network has.
  sed -e '/^ *ipam:$/,/subnet:/d' -e "s|source: \"/.*/\([a-z]*\)\"|source: \"$bare/\1\"|; s/$id/${id//0/f}/; s/fairlead\.\([a-z]*\):/bench.\1:/; s/:$port:/:19999:/" "$file" >"$bare/compose.yaml"
  start=$(now_us)
  docker-compose -H "unix://$FAIRLEAD_DOCKER" -p bench -f "$bare/compose.yaml" up -d >"$bare/log" 2>&1 || { cat "$bare/log" >&2; exit 1; }
  within 60 answers "http://$(sed -n 's/.*"\(127\.0\.[0-9.]*\):19999:.*/\1/p' "$bare/compose.yaml"):19999/healthz"
  sample bare_compose_s "$(seconds_since "$start")"
  docker-compose -H "unix://$FAIRLEAD_DOCKER" -p bench -f "$bare/compose.yaml" down -v -t 1 >>"$bare/log" 2>&1
  "$BUILD/fairlead" instance delete "$name" --tenant bench/main --purge --wait --timeout 60 >/dev/null
}
statements() { sql "select xact_commit + xact_rollback from pg_stat_database where datname = current_database()"; }
# Resident, and what of it is private: the rest are pages of libraries, which all that runs here share.
memory_mb() { awk -v field="$2:" '$1 == field {printf "%.1f", $2 / 1024}' "/proc/$(pid_of "$1")/status"; }
# Fifteen quiet seconds; WHAT is how many nodes live.
idle() { # WHAT
  local before transactions i names=(coordinator server slave)
  read -r -t 5 <> <(:) || true
  before="$(cpu_us "$(pid_of coordinator)") $(cpu_us "$(pid_of server)") $(cpu_us "$(pid_of slave)") $(cpu_us "$(kafka_pid)")"
  transactions=$(statements)
  read -r -t 15 <> <(:) || true
  read -r -a before <<<"$before $(cpu_us "$(pid_of coordinator)") $(cpu_us "$(pid_of server)") $(cpu_us "$(pid_of slave)") $(cpu_us "$(kafka_pid)")"
  sample "idle_transactions_per_s_$1" "$(awk -v n=$(($(statements) - transactions)) 'BEGIN {printf "%.1f", n / 15}')"
  for i in 0 1 2; do
    sample "idle_cpu_permille_${names[i]}_$1" "$(awk -v us=$((before[i + 4] - before[i])) 'BEGIN {printf "%.2f", us / 15000}')"
    sample "rss_mb_${names[i]}_$1" "$(memory_mb "${names[i]}" VmRSS)"
    sample "private_mb_${names[i]}_$1" "$(memory_mb "${names[i]}" RssAnon)"
  done
  sample "idle_cpu_permille_kafka_$1" "$(awk -v us=$((before[7] - before[3])) 'BEGIN {printf "%.2f", us / 15000}')"
}
# 500 nodes more, simulated by one program: enrolled, each with its topic and its presence every ten seconds.
crowd() {
  local folder i pid
  folder=$(mktemp -d)
  for i in $(seq 500); do
    "$BUILD/fairlead" node create "bench-$i" --plane main --roles dns --address "127.1.$((i / 250)).$((i % 250 + 1))" --cpu 100 --memory 128 >/dev/null
    "$BUILD/fairlead" node invite "bench-$i"
  done >"$folder/tokens"
  "$BUILD/tests/bench/nodes" "$folder" <"$folder/tokens" >"$folder/out" 2>"$folder/err" &
  pid=$!
  within 120 grep -q ready "$folder/out"
  within 120 is 500 "select count(*) from nodes where name like 'bench-%' and state = 'ready'"
  idle 500
  kill "$pid"
  wait "$pid" 2>/dev/null || true
  # A node that has enrolled keeps its topic and cannot be deleted yet: these never were one.
  sql "delete from topics where node_id in (select id from nodes where name like 'bench-%'); delete from tokens where node_id in (select id from nodes where name like 'bench-%'); delete from nodes where name like 'bench-%'"
  rm -rf "$folder"
}
