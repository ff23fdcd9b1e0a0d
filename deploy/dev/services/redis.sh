# Redis: a cache only, so nothing is written to disk; unix socket only.
# shellcheck shell=bash disable=SC2034,SC2154
redis_dir=$(place redis root /redis.sock)
redis_socket=$redis_dir/redis.sock
redis_log=$redis_dir/redis.log
redis_pidfile=$redis_dir/pid
redis_programs='redis-server:redis-server redis-cli:redis-tools'

redis_up() {
  install -d -m 0700 "$redis_dir"
  # Redis rewrites its command line; the socket in the title is how pid_of knows it again.
  spawn redis redis-server --port 0 --unixsocket "$redis_socket" --unixsocketperm 700 --dir "$redis_dir" \
    --save '' --appendonly no --maxmemory 64mb --maxmemory-policy allkeys-lru --proc-title-template '{title} {unixsocket} {server-mode}'
}

redis_ready() { [ -n "$(pid_of redis)" ] && [ "$(redis-cli -s "$redis_socket" ping 2>/dev/null)" = PONG ]; }
redis_down() { stop redis; }
redis_address() { echo "$redis_socket"; }
redis_env() { export_line FAIRLEAD_REDIS "$redis_socket"; }
