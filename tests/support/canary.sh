# Where a secret must not be: each place prints all that is in it. For P19; sourced after customer.sh, when an agent has run an app.
# shellcheck shell=bash disable=SC2154
# Each place is asked for the secret and for something that is there: a place that prints nothing proves nothing.
in_database() { pg_dump --enable-row-security "$FAIRLEAD_DATABASE_URL"; }
in_wal() { find "${FAIRLEAD_RUN:?}/postgres/data/pg_wal" -type f -exec cat {} +; }
in_pages() { find "${FAIRLEAD_RUN:?}/postgres/data/base" -type f -size +0 -exec cat {} +; } # of tables and indexes, as far as they were written
in_kafka() { # what is read, whatever it was packed with
  local topic
  for topic in $(kcat -b "$FAIRLEAD_KAFKA" -L -J | jq -r '.topics[].topic'); do timeout 20 kcat -b "$FAIRLEAD_KAFKA" -C -q -e -o beginning -t "$topic" -f '%k %s %h\n' || true; done
}
in_segments() { find "${FAIRLEAD_RUN:?}"/kafka/data* -type f -name '*.log' -exec cat {} +; } # as they lie on disk
in_redis() { redis-cli -s "$FAIRLEAD_REDIS" --scan | while read -r key; do echo "$key" && redis-cli -s "$FAIRLEAD_REDIS" dump "$key"; done; }
in_logs() { find "$FAIRLEAD_RUN" "$dir" -path "$dir/docker" -prune -o -type f \( -name '*.log' -o -name '*.log.*' -o -name log -o -name log.1 -o -name told \) -exec cat {} +; }
in_processes() { # arguments and environment
  cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null | tr '\0' '\n'
}
in_engine() { # what it tells of containers and images, and what it keeps of them on disk: layers, logs, settings
  on_engine ps -aq | xargs -r docker -H "unix://$town_DOCKER" inspect
  on_engine images -q | xargs -r docker -H "unix://$town_DOCKER" history --no-trunc
  on_engine images -q | xargs -r docker -H "unix://$town_DOCKER" save | tar -xO 2>/dev/null
}
# On the agent's disk: sealed. But for the recovery key, which its customer keeps, and what the Engine has.
in_state() { find "$state" -type f -exec cat {} + && git -c safe.directory='*' -C "$state/configuration" log -p --all 2>/dev/null; }
cores() { find "${FAIRLEAD_RUN:?}" "$dir" -path "$dir/docker" -prune -o -type f \( -name core -o -name 'core.[0-9]*' \) -size +0 -print; }
# What is looked for stands in a file: no process has it among its arguments.
holds() { printf '%s' "$2" >"$fleet/looked-for" && { "in_$1" 2>/dev/null || true; } | grep -aF -f "$fleet/looked-for" >/dev/null; } # PLACE TEXT
holds_not() { ! holds "$1" "$2"; }
