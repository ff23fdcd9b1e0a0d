# What all services share: folders, processes, waiting, messages. Sourced by ../stack.
# shellcheck shell=bash
# shellcheck disable=SC2154  # run, deadline and services come from ../stack

die() { echo "stack: $*" >&2; exit 1; }
note() { echo "stack: $*" >&2; }
export_line() { printf 'export %s=%q\n' "$1" "$2"; }

# place NAME [USER] [SOCKET]: the folder of a service. It is $run/NAME, unless USER cannot get there (a clone below a
# 0700 home) or the name of its longest unix socket would pass 107 bytes; then it is a short folder that everybody can reach.
place() {
  local dir=$run/$1 user=${2:-root} socket=${3:-}
  if [ $((${#dir} + ${#socket})) -gt 107 ] || ! can_enter "$user" "$run"; then
    dir=/var/lib/fairlead-dev/$(printf %s "$run" | sha256sum | cut -c1-12)/$1
  fi
  printf %s "$dir"
}

# A folder that is not there yet will be made 0755, so the nearest one that exists decides.
can_enter() {
  local dir=$2
  [ "$1" != root ] || return 0
  while [ ! -d "$dir" ]; do dir=$(dirname "$dir"); done
  setpriv --reuid "$1" --regid "$1" --init-groups test -x "$dir" 2>/dev/null
}

# NAME_programs lists "program:package" of each service.
need_programs() {
  local service pair list missing=()
  for service in common "${services[@]}"; do
    list=${service}_programs
    for pair in ${!list:-}; do
      command -v "${pair%%:*}" >/dev/null || missing+=("${pair#*:}")
    done
  done
  [ ${#missing[@]} = 0 ] ||
    die "programs are missing; next: apt-get install --no-install-recommends $(printf '%s\n' "${missing[@]}" | sort -u | xargs)"
}
# shellcheck disable=SC2034
common_programs='curl:curl setpriv:util-linux flock:util-linux ip:iproute2 ss:iproute2'

# --- processes ---------------------------------------------------------------------------------------------------

# The first line of a file, or nothing. (x=$(<file) with a missing file ends a script under set -e in bash 5.2, even before ||.)
first_line() {
  local line=
  { read -r line <"$1"; } 2>/dev/null || true
  printf %s "$line"
}

# A zombie counts as gone: orphans may be reaped late, or never (a container whose first process does not reap).
alive() {
  local stat
  stat=$(first_line "/proc/$1/stat")
  [ -n "$stat" ] || return 1
  stat=${stat##*) }
  [ "${stat:0:1}" != Z ]
}

# In the middle of an exec the command line of a live process reads empty: look again.
command_has() {
  local line try
  for try in 1 2 3 4 5 6 7 8 9 10; do
    line=$( (tr '\0' ' ' <"/proc/$1/cmdline") 2>/dev/null) || return 1
    [ -z "$line" ] || break
    sleep "0.0$try"
  done
  [[ $line == *"$2"* ]]
}

# pid_of NAME: its pid if the process of NAME_pidfile is alive and still ours, else nothing. Pids are used again after
# a reboot, so the command line must name the folder of this service: every service is started in a way that it does.
pid_of() {
  local file=${1}_pidfile dir=${1}_dir pid
  pid=$(first_line "${!file:-/nonexistent}")
  if [ -n "$pid" ] && alive "$pid" && command_has "$pid" "${!dir}/"; then printf %s "$pid"; fi
}

# spawn NAME COMMAND...: start a daemon in a session of its own. setsid becomes the program, so $! is its pid.
spawn() {
  local service=$1 file=${1}_pidfile log=${1}_log
  shift
  [ ! -e "${!log}" ] || mv -f "${!log}" "${!log}.1"
  setsid "$@" >"${!log}" 2>&1 </dev/null 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&- &
  echo $! >"${!file}"
  # For a moment the child is still this script; pid_of knows it only after its exec.
  while [ -z "$(pid_of "$service")" ] && alive $!; do sleep 0.01; done
}

wait_ready() {
  local service=$1 end=$((SECONDS + deadline)) file=${1}_pidfile
  until "${service}_ready"; do
    if [ -n "${!file:-}" ] && [ -z "$(pid_of "$service")" ]; then failed "$service" "ended while starting"; fi
    [ $SECONDS -lt $end ] || failed "$service" "did not answer within $deadline s"
    sleep 0.1
  done
}

failed() {
  local service=$1 log=${1}_log port=${1}_port holder
  note "$service $2"
  if [ -s "${!log:-}" ]; then
    note "the last lines of ${!log}:"
    tail -n 20 "${!log}" | sed 's/^/  | /' >&2
  fi
  if [ -n "${!port:-}" ] && [ -z "$(pid_of "$service")" ]; then
    holder=$(ss -Hlntup "sport = :${!port}" | grep -oE '"[^"]+",pid=[0-9]+' | sort -u | xargs) || true
    [ -z "$holder" ] || note "port ${!port} is held by $holder: stop that, or choose another port (see the head of $0)"
  fi
  die "next: correct the cause, then run 'stack up' again (it leaves alone what runs; 'stack down' first if $service hangs)"
}

# stop NAME [SIGNAL]: signal it, wait until it is gone.
stop() {
  local service=$1 pid
  pid=$(pid_of "$service")
  if [ -n "$pid" ]; then
    kill -s "${2:-TERM}" "$pid" 2>/dev/null || true
    wait_gone "$service" "$pid"
    printf '%-9s stopped\n' "$service"
  fi
  local file=${service}_pidfile
  rm -f "${!file}"
}

wait_gone() {
  local service=$1 pid=$2 end=$((SECONDS + deadline))
  while alive "$pid"; do
    if [ $SECONDS -ge $end ]; then
      note "$service (pid $pid) has not stopped within $deadline s: killing it"
      kill -s KILL "$pid" 2>/dev/null || true
      end=$((SECONDS + deadline))
    fi
    sleep 0.05
  done
}
