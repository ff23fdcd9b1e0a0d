# PostgreSQL: a cluster of our own, as user postgres. Over the unix socket everybody who can reach it is trusted (its
# folder is 0700, so: root and postgres); over 127.0.0.1 a password is needed.
# shellcheck shell=bash disable=SC2034,SC2154
postgres_port=${FAIRLEAD_PG_PORT:-15432}
postgres_dir=$(place postgres postgres "/socket/.s.PGSQL.$postgres_port.lock")
postgres_data=$postgres_dir/data
postgres_socket=$postgres_dir/socket
postgres_log=$postgres_dir/postgres.log
postgres_pidfile=$postgres_dir/pid
# The version that made the data, else the newest that is installed.
postgres_version=$(first_line "$postgres_data/PG_VERSION")
[ -n "$postgres_version" ] || postgres_version=$(printf '%s\n' /usr/lib/postgresql/*/ | grep -oE '[0-9]+' | sort -n | tail -n 1)
postgres_bin=${FAIRLEAD_PG_BIN:-/usr/lib/postgresql/$postgres_version/bin}
postgres_programs="$postgres_bin/postgres:postgresql${postgres_version:+-$postgres_version} psql:postgresql-client"

postgres_sql() { psql -X -q -At -v ON_ERROR_STOP=1 -h "$postgres_socket" -p "$postgres_port" -U postgres -d "$1" -c "$2"; }
postgres_as() { (cd / && exec setpriv --reuid postgres --regid postgres --init-groups "$@"); }

postgres_up() {
  mkdir -p "$postgres_dir"
  install -d -o postgres -g postgres -m 0700 "$postgres_socket"
  if [ ! -s "$postgres_data/PG_VERSION" ]; then
    rm -rf "$postgres_data"
    install -d -o postgres -g postgres -m 0700 "$postgres_data"
    # The version file is written early, so an interrupted initdb must not look finished: build beside, then rename.
    install -d -o postgres -g postgres -m 0700 "$postgres_data.new"
    find "$postgres_data.new" -mindepth 1 -delete
    postgres_as "$postgres_bin/initdb" -D "$postgres_data.new" -U postgres -E UTF8 --locale=C.UTF-8 -A trust \
      >"$postgres_log" 2>&1 || failed postgres "could not be initialised"
    echo "include 'fairlead.conf'" >>"$postgres_data.new/postgresql.conf"
    rmdir "$postgres_data"
    mv "$postgres_data.new" "$postgres_data"
  fi
  cat >"$postgres_data/fairlead.conf" <<EOF
listen_addresses = '127.0.0.1'
port = $postgres_port
unix_socket_directories = '$postgres_socket'
unix_socket_permissions = 0700
password_encryption = 'scram-sha-256'
fsync = on
synchronous_commit = on
full_page_writes = on
shared_buffers = '128MB'
work_mem = '8MB'
maintenance_work_mem = '64MB'
max_wal_size = '512MB'
max_connections = 200
log_line_prefix = '%m [%p] %q%u@%d '
log_min_duration_statement = '500ms'
EOF
  printf '%s\n' 'local all all trust' 'host all all 127.0.0.1/32 scram-sha-256' >"$postgres_data/pg_hba.conf"
  postgres_clear_lock
  cd /
  spawn postgres setpriv --reuid postgres --regid postgres --init-groups "$postgres_bin/postgres" -D "$postgres_data/"
}

# After kill -9 of the postmaster its children live on for a moment: wait for them (they stand in the data folder). Only
# then may its lock files go; the server itself would not start while the dead postmaster is not reaped.
postgres_clear_lock() {
  local end=$((SECONDS + deadline)) link
  for link in /proc/[0-9]*/cwd; do
    while [ "$(readlink "$link" 2>/dev/null)" = "$postgres_data" ]; do
      [ $SECONDS -lt $end ] || failed postgres "has processes that did not end with it (${link%/cwd})"
      sleep 0.1
    done
  done
  rm -f "$postgres_data/postmaster.pid" "$postgres_socket/".s.PGSQL.*
}

postgres_ready() { [ -n "$(pid_of postgres)" ] && postgres_sql postgres 'select 1' >/dev/null 2>&1; }

postgres_after() {
  [ -n "$(postgres_sql postgres "select 1 from pg_roles where rolname = 'fairlead_owner'")" ] ||
    postgres_sql postgres 'create role fairlead_owner login createrole'
  [ -n "$(postgres_sql postgres "select 1 from pg_database where datname = 'fairlead'")" ] ||
    postgres_sql postgres 'create database fairlead owner fairlead_owner'
}

postgres_down() { stop postgres INT; }
postgres_address() { echo "127.0.0.1:$postgres_port $postgres_socket"; }
postgres_env() { export_line FAIRLEAD_DATABASE_URL "postgresql://fairlead_owner@/fairlead?host=$postgres_socket&port=$postgres_port"; }
