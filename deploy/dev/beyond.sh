# What the demos have in common that go beyond this machine: demo-machines, demo-private. Sourced.
# shellcheck shell=bash disable=SC2034,SC2154
here=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)
root=$(cd "$here/../.." && pwd)
run=$(realpath -m "${FAIRLEAD_RUN:-$root/.run}")
export BUILD=${BUILD:-$root/build/gcc}
fairlead=$BUILD/fairlead
us=10.202.0.1

say() { printf '\n== %s\n' "$*"; }

# One that an earlier run has asked for goes on by itself.
within_minutes() { # INSTANCE
  for _ in $(seq 600); do
    [ "$("$fairlead" instance get "$1" -o json | jq -r .state)" = new ] || return 0
    sleep 0.5
  done
  echo "${0##*/}: it has not ended within five minutes; see: fairlead instance events $1" >&2
  exit 1
}

# The instance is there and runs, whatever an earlier run has left.
make_instance() { # NAME CREATE_ARGUMENT...
  local name=$1
  shift
  case $("$fairlead" instance get "$name" -o json 2>/dev/null | jq -r .state || true) in
  running) echo "$name is running already" ;;
  '') "$fairlead" instance create "$@" --wait --timeout 600 ;;
  failed) "$fairlead" instance retry "$name" --wait --timeout 600 ;;
  *) within_minutes "$name" ;;
  esac
}

# A record that is there already is as good as one that was made.
record() { "$fairlead" "$1" create "${@:2}" 2>/dev/null || "$fairlead" "$1" get "$2" >/dev/null; }

heard() { # NODE
  for _ in $(seq 300); do
    [ "$("$fairlead" node get "$1" -o json | jq -r .health)" != ok ] || return 0
    sleep 0.1
  done
  echo "${0##*/}: \"$1\" is not heard of; see its log in $run/machines" >&2
  exit 1
}

# This machine gets an address that others reach, and the demo goes on behind it.
reach_out() {
  [ -s "$run/credentials" ] || { echo "${0##*/}: first: make demo" >&2; exit 1; }
  say "An address that other machines reach: $us"
  if [ "$(cat "$run/nodes.address" 2>/dev/null)" != "$us" ]; then
    "$here/fleet" down # else its edge would start nginx as it was
    "$here/machine" address "$us"
    "$here/stack" up
  fi
  "$here/fleet" up
  eval "$("$here/fleet" env)"
  if [ "$(jq -r .address "$run/fleet/server/node.json")" != "$us" ]; then # an edge listens at the address that it enrolled with
    "$fairlead" node address server "$us"
    "$BUILD/fairlead-worker" --state "$run/fleet/server" enrol "$("$fairlead" node invite server)"
    "$here/fleet" down
    "$here/fleet" up
  fi
}
