# nginx: the gate, where machines that are not this one reach the coordinator and the registry, over TLS with our authority's
# certificates. It lets through what a node asks to join and to renew; images to whom the coordinator says that they may.
# An installation has the same in its own nginx: deploy/nginx/gate.conf is what this one is made of.
# shellcheck shell=bash disable=SC2034,SC2154
one_port=${FAIRLEAD_ONE_PORT:-18444} # gate and Kafka by one port, where others reach this machine
gate_behind_port=$((one_port + 1)) # where the gate listens for it
gate_port=${FAIRLEAD_GATE_PORT:-18443}
gate_api_port=${FAIRLEAD_API_PORT:-18090}
gate_dir=$(place gate www-data)
gate_conf=$gate_dir/nginx.conf
gate_log=$gate_dir/error.log
gate_pidfile=$gate_dir/nginx.pid
gate_stream=/usr/lib/nginx/modules/ngx_stream_module.so
gate_programs='nginx:nginx-light'

gate_up() {
  authority_program gate 127.0.0.1 localhost "$nodes_ip"
  mkdir -p "$gate_dir/tmp"
  {
    [ "$nodes_ip" = 127.0.0.1 ] || echo "load_module $gate_stream;"
    cat <<EOF
user www-data;
worker_processes 1;
daemon off;
pid $gate_dir/nginx.pid;
error_log stderr;
events { worker_connections 1024; }
http {
  access_log off;
  client_body_temp_path $gate_dir/tmp/body;
  proxy_temp_path $gate_dir/tmp/proxy;
  fastcgi_temp_path $gate_dir/tmp/fastcgi;
  uwsgi_temp_path $gate_dir/tmp/uwsgi;
  scgi_temp_path $gate_dir/tmp/scgi;
EOF
    sed -e "s|LISTEN|$(gate_listens)|" -e "s|AUTHORITY|$authority_dir|g" -e "s|COORDINATOR|127.0.0.1:$gate_api_port|g" \
      -e "s|REGISTRY|127.0.0.1:$registry_port|g" "$here/../nginx/gate.conf"
    echo '}'
    [ "$nodes_ip" = 127.0.0.1 ] || gate_one_port
  } >"$gate_conf"
  spawn gate nginx -e stderr -c "$gate_conf"
}

gate_one_port() {
  echo 'stream {'
  sed -e "s|LISTEN|listen $nodes_ip:$one_port;|" -e "s|KAFKA;|127.0.0.1:$kafka_one_port;|" -e "s|GATE;|127.0.0.1:$gate_behind_port;|" \
    -e "s|SOCKET;|$gate_dir/one-port.socket;|" "$here/../nginx/one-port.conf"
  echo '}'
  rm -f "$gate_dir/one-port.socket"
}
gate_listens() {
  printf 'listen 127.0.0.1:%s ssl;' "$gate_port"
  [ "$nodes_ip" = 127.0.0.1 ] || printf ' listen %s:%s ssl; listen 127.0.0.1:%s ssl proxy_protocol; set_real_ip_from 127.0.0.1; real_ip_header proxy_protocol;' \
    "$nodes_ip" "$gate_port" "$gate_behind_port"
}
gate_ready() { [ -n "$(pid_of gate)" ] && [ "$(curl -s -m 5 --cacert "$authority_dir/root.pem" -o /dev/null -w '%{http_code}' "https://$nodes_ip:$gate_port/")" = 404 ]; }
gate_down() { stop gate; }
gate_address() { echo "$nodes_ip:$gate_port"; }
gate_env() {
  export_line FAIRLEAD_GATE "$nodes_ip:$gate_port"
  [ "$nodes_ip" = 127.0.0.1 ] || export_line FAIRLEAD_ONE "$nodes_ip:$one_port"
  export_line FAIRLEAD_NODE_URL "https://$nodes_ip:$gate_port"
}
