# Image registry. On loopback every Engine of this machine uses it without TLS, and containers cannot reach it.
# shellcheck shell=bash disable=SC2034,SC2154
registry_port=${FAIRLEAD_REGISTRY_PORT:-15000}
registry_dir=$(place registry)
registry_log=$registry_dir/registry.log
registry_pidfile=$registry_dir/pid
registry_programs='docker-registry:docker-registry'

registry_up() {
  install -d -m 0700 "$registry_dir"
  cat >"$registry_dir/config.yml" <<EOF
version: 0.1
log: { level: warn, accesslog: { disabled: true } }
storage:
  filesystem: { rootdirectory: "$registry_dir/data" }
  delete: { enabled: true }
http: { addr: "127.0.0.1:$registry_port" }
EOF
  spawn registry docker-registry serve "$registry_dir/config.yml"
}

registry_ready() { [ -n "$(pid_of registry)" ] && curl -sf -m 5 -o /dev/null "http://127.0.0.1:$registry_port/v2/"; }
registry_down() { stop registry; }
registry_address() { echo "127.0.0.1:$registry_port"; }
registry_env() { export_line FAIRLEAD_REGISTRY "127.0.0.1:$registry_port"; }
