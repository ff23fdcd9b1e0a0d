# The container Engine: the machine's own if it answers, else a dockerd of ours that leaves the machine as it was.
# shellcheck shell=bash disable=SC2034,SC2154
docker_machine=/var/run/docker.sock
docker_dir=$(place docker root /exec/containerd/containerd-debug.sock)
docker_log=$docker_dir/dockerd.log
docker_pidfile=$docker_dir/pid
docker_socket_file=$docker_dir/socket # which Engine was chosen; it stays chosen until `down`
docker_before=$docker_dir/machine     # what the network of the machine looked like before our Engine
docker_programs='docker:docker.io dockerd:docker.io iptables:iptables sysctl:procps'

docker_socket() {
  local chosen
  chosen=$(first_line "$docker_socket_file")
  echo "${chosen:-$docker_dir/docker.sock}"
}
docker_ours() { [ "$(docker_socket)" != "$docker_machine" ]; }
# The context and DOCKER_HOST of the user's shell must not lead elsewhere. The classic builder: buildx may be missing.
engine_on() { # SOCKET SECONDS COMMAND...
  env -u DOCKER_HOST -u DOCKER_CONTEXT -u DOCKER_TLS_VERIFY DOCKER_BUILDKIT=0 timeout "$2" docker -H "unix://$1" "${@:3}"
}
engine() { engine_on "$(docker_socket)" 600 "$@"; }
docker_answers() { engine_on "$1" 10 version >/dev/null 2>&1; }

docker_up() {
  install -d -m 0711 "$docker_dir"
  if [ ! -e "$docker_socket_file" ]; then
    if [ -z "${FAIRLEAD_OWN_ENGINE:-}" ] && docker_answers "$docker_machine"; then echo "$docker_machine"; else echo "$docker_dir/docker.sock"; fi >"$docker_socket_file"
  fi
  if ! docker_ours; then
    docker_answers "$docker_machine" || die "the machine's Engine was used so far and does not answer now; next: start it, or 'stack down' first"
    return 0
  fi
  local file pid
  # dockerd takes a left-over pid file for a running daemon, also of containerd, if that pid is alive.
  for file in docker.pid exec/containerd/containerd.pid; do
    pid=$(first_line "$docker_dir/$file")
    if [ -n "$pid" ] && command_has "$pid" "$docker_dir/"; then wait_gone docker "$pid"; fi
    rm -f "$docker_dir/$file"
  done
  docker_record
  cat >"$docker_dir/daemon.json" <<EOF
{
  "hosts": ["unix://$docker_dir/docker.sock"],
  "data-root": "$docker_dir/data",
  "exec-root": "$docker_dir/exec",
  "pidfile": "$docker_dir/docker.pid",
  "storage-driver": "$(docker_storage)",
  "live-restore": true,
  "log-driver": "json-file",
  "log-opts": { "max-size": "10m", "max-file": "2" }
}
EOF
  spawn docker dockerd --config-file "$docker_dir/daemon.json"
}

# overlay2 wherever an overlay can be mounted on the data folder (not when that is on an overlay itself), else plain copies.
docker_storage() {
  local try=$docker_dir/try driver=vfs
  mkdir -p "$try/lower" "$try/upper" "$try/work" "$try/merged"
  if mount -t overlay overlay -o "lowerdir=$try/lower,upperdir=$try/upper,workdir=$try/work" "$try/merged" 2>/dev/null; then
    umount "$try/merged"
    driver=overlay2
  fi
  rm -rf "$try"
  echo "$driver"
}

docker_ready() {
  if [ ! -e "$docker_socket_file" ]; then return 1; fi
  if docker_ours && [ -z "$(pid_of docker)" ]; then return 1; fi
  docker_answers "$(docker_socket)"
}

# --- the machine's network: recorded before the first start, restored by `down` ------------------------------------

docker_record() {
  [ ! -e "$docker_before" ] || return 0
  {
    echo "tables='$(iptables-save | sed -n 's/^\*//p' | xargs)'"
    echo "forward=$(sysctl -n net.ipv4.ip_forward)"
    echo "policy=$(iptables -S FORWARD | awk '$1 == "-P" { print $3 }')"
    echo "chains=$(iptables-save | grep -c '^:DOCKER' || true)"
    echo "bridge=$(ip -o link show docker0 2>/dev/null | wc -l || true)"
  } >"$docker_before.new"
  mv "$docker_before.new" "$docker_before"
}

# Another Engine in the same network (not one in a namespace of its own) uses the same chains: then leave them alone.
docker_others() {
  local pid
  for pid in $(pgrep -x dockerd || true); do
    if alive "$pid" && [ "$(readlink "/proc/$pid/ns/net")" = "$(readlink /proc/self/ns/net)" ]; then return 0; fi
  done
  return 1
}

docker_restore() {
  [ -e "$docker_before" ] || return 0
  if docker_others; then
    note "docker: another Engine uses this network, so forwarding, chains and docker0 stay as they are"
  else
    local tables='' forward=0 policy=ACCEPT chains=0 bridge=0
    # shellcheck disable=SC1090
    . "$docker_before"
    if [ "$bridge" = 0 ] && ip link show docker0 >/dev/null 2>&1; then ip link del docker0; fi
    if [ "$chains" = 0 ]; then docker_strip_rules "$tables" "$policy"; fi
    sysctl -qw "net.ipv4.ip_forward=$forward"
  fi
  rm -f "$docker_before"
}

# docker_strip_rules TABLES POLICY: every rule of Docker names one of its chains or bridges; the rest is put back in one
# piece per table. A table that was not there before (TABLES) and is empty now goes, as far as nft can say.
docker_strip_rules() {
  local table rules
  for table in $(iptables-save | sed -n 's/^\*//p'); do
    rules=$(iptables-save -t "$table" | grep -vE 'DOCKER|docker0|br-[0-9a-f]{12}')
    # shellcheck disable=SC2001
    [ "$table" != filter ] || rules=$(sed "s/^:FORWARD [A-Z]* /:FORWARD $2 /" <<<"$rules")
    iptables-restore <<<"$rules"
    if ! grep -q '^-A' <<<"$rules" && [[ " $1 " != *" $table "* ]] && command -v nft >/dev/null; then
      nft delete table ip "$table" 2>/dev/null || true
    fi
  done
}

# --- down ----------------------------------------------------------------------------------------------------------

docker_down() {
  [ -e "$docker_socket_file" ] || return 0
  if docker_ours && [ -z "$(pid_of docker)" ]; then # killed: its containers run on (live-restore), so it must come back to end them
    docker_up
    wait_ready docker
  fi
  local bridges='' containerd='' id
  if docker_answers "$(docker_socket)"; then
    docker_each rm -f -- ps -aq --filter label=fairlead.instance
    # Whatever else runs in an Engine of ours (a build, a container without the label) would outlive it.
    if docker_ours; then docker_each stop -t 5 -- ps -q; fi
    docker_each network rm -- network ls -q --filter label=fairlead.instance
    bridges=$(engine network ls -q --filter driver=bridge --filter type=custom)
  else
    note "docker: the Engine does not answer, so its containers are not removed"
  fi
  if docker_ours; then
    containerd=$(first_line "$docker_dir/exec/containerd/containerd.pid")
    stop docker
    [ -z "$containerd" ] || wait_gone docker "$containerd"
    docker_unmount
    for id in $bridges; do ip link del "br-$id" 2>/dev/null || true; done
    docker_restore
  fi
  rm -f "$docker_socket_file"
}

# With live-restore dockerd leaves mounts behind, and the run folder could not be removed. Deepest first.
docker_unmount() {
  local mounted
  while read -r mounted; do
    umount "$mounted" || note "docker: $mounted stays mounted"
  done < <(awk -v under="$docker_dir/" 'index($2, under) == 1 { print $2 }' /proc/self/mounts | sort -r)
}

# docker_each ACTION... -- LIST...: the action on all that the list names, if it names anything.
docker_each() {
  local action=() ids
  while [ "$1" != -- ]; do action+=("$1"); shift; done
  shift
  mapfile -t ids < <(engine "$@")
  [ ${#ids[@]} = 0 ] || engine "${action[@]}" "${ids[@]}" >/dev/null
}

docker_address() { docker_socket; }
docker_env() { export_line FAIRLEAD_DOCKER "$(docker_socket)"; }
