# nginx: the edge. Its server blocks and maps (conf.d/*.conf) belong to our worker; here is only the frame around them.
# shellcheck shell=bash disable=SC2034,SC2154
edge_port=${FAIRLEAD_HTTP_PORT:-18080}
# Where other machines reach us, or on loopback, but not 127.0.0.1: a test can tell that DNS was asked, and not a rule of the client.
edge_ip=${FAIRLEAD_EDGE_ADDRESS:-${nodes_ip/#127.0.0.1/127.0.0.10}}
edge_dir=$(place edge www-data)
edge_conf=$edge_dir/nginx.conf
edge_log=$edge_dir/error.log # nginx writes to stderr, which spawn puts here
edge_pidfile=$edge_dir/nginx.pid # nginx writes it too: whoever starts it, that is its pid
edge_programs='nginx:nginx-light'

edge_up() {
  mkdir -p "$edge_dir/conf.d" "$edge_dir/tmp"
  cat >"$edge_conf" <<EOF
user www-data;
worker_processes 2;
daemon off;
pid $edge_dir/nginx.pid;
error_log stderr;
events { worker_connections 4096; }
http {
  access_log $edge_dir/access.log;
  client_body_temp_path $edge_dir/tmp/body;
  proxy_temp_path $edge_dir/tmp/proxy;
  fastcgi_temp_path $edge_dir/tmp/fastcgi;
  uwsgi_temp_path $edge_dir/tmp/uwsgi;
  scgi_temp_path $edge_dir/tmp/scgi;
  server_tokens off;
  server_names_hash_max_size 65536;
  server_names_hash_bucket_size 256;
  # First for its addresses, so it answers for every name that nobody below claims.
  server {
    listen 127.0.0.1:$edge_port;
    listen $edge_ip:$edge_port;
    return 421;
  }
  server {
    listen 127.0.0.1:$((edge_port + 1));
    access_log off;
    location = / { return 204; }
  }
  include $edge_dir/conf.d/*.conf;
}
EOF
  edge_stop_orphans
  spawn edge nginx -e stderr -c "$edge_conf"
}

# Workers outlive a master that was killed, and keep its ports. They are known by our log file that they hold open.
edge_stop_orphans() {
  local pid
  for pid in $(pgrep -x nginx || true); do
    if find "/proc/$pid/fd" -lname "$edge_log" 2>/dev/null | grep -q .; then
      kill -s TERM "$pid" 2>/dev/null || true
      wait_gone edge "$pid"
    fi
  done
}

edge_ready() {
  [ -n "$(pid_of edge)" ] &&
    [ "$(curl -s -m 5 -o /dev/null -w '%{http_code}' "http://127.0.0.1:$((edge_port + 1))/")" = 204 ]
}

edge_down() {
  stop edge
  edge_stop_orphans
}

edge_address() { echo "$edge_ip:$edge_port 127.0.0.1:$edge_port"; }
edge_env() {
  export_line FAIRLEAD_EDGE_DIR "$edge_dir"
  export_line FAIRLEAD_EDGE_ADDRESS "$edge_ip"
  export_line FAIRLEAD_HTTP_PORT "$edge_port"
  export_line FAIRLEAD_NGINX_CONF "$edge_conf"
  export_line FAIRLEAD_NGINX_PID "$edge_pidfile"
}
