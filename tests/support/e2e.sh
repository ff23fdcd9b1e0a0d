# What the end-to-end scripts share: the fleet, calls, conditions with a deadline, and counting. Sourced.
# shellcheck shell=bash
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
export BUILD=${BUILD:-$root/build/gcc-faults}
run=$(realpath -m "${FAIRLEAD_RUN:-$root/.run}")
fleet=$run/fleet
fairlead=$BUILD/fairlead
passed=0 failed=0

# The name of a test says what it proves; its condition is a command. Where it fails, a script that has a function `explain`
# shows what it is about: for who cannot look at the machine.
ok() { # NAME COMMAND...
  local name=$1
  shift
  if "$@" >"$fleet/test.out" 2>&1; then
    passed=$((passed + 1))
    echo "ok   $name"
  else
    failed=$((failed + 1))
    echo "FAIL $name"
    cut -c1-400 <<<"     $*" | head -n 12
    tail -n 5 "$fleet/test.out" | sed 's/^/     /'
    if declare -F explain >/dev/null; then explain 2>&1 | cut -c1-300 | sed 's/^/     /' || true; fi
  fi
}

# Waits for a condition, at most so many seconds.
within() { # SECONDS COMMAND...
  local end=$((SECONDS + $1))
  shift
  until "$@" >/dev/null 2>&1; do
    [ $SECONDS -lt $end ] || { "$@"; return 1; }
    read -r -t 0.1 <> <(:) || true
  done
}

sql() { psql -XAtq "$FAIRLEAD_DATABASE_URL" -c "$1"; }
sql_is() { local got; got=$(sql "$1"); [ "$got" = "$2" ] || { echo "$1: got \"$got\", not \"$2\""; return 1; }; }
# The process of one of our services: what else runs on the machine is nobody's business here.
service_pid() { "$root/deploy/dev/stack" pid "$1"; }
engine() { docker -H "unix://$FAIRLEAD_DOCKER" "$@"; }
state_is() { [ "$("$fairlead" instance get "$1" -o json | jq -r .state)" = "$2" ]; }
# api METHOD PATH [CURL ARGUMENT...]: the status; the body in $fleet/body
api() {
  local method=$1 path=$2
  shift 2
  curl -s -m 15 -o "$fleet/body" -w '%{http_code}' -X "$method" -H "Authorization: Bearer $(cat "$fleet/token")" \
    -H 'Content-Type: application/json' "$@" "$FAIRLEAD_SERVER$path" || true
}
answers() { # STATUS METHOD PATH [CURL ARGUMENT...]
  local want=$1 got
  shift
  got=$(api "$@")
  [ "$got" = "$want" ] || { echo "$2: status $got, not $want"; cat "$fleet/body"; return 1; }
}
code_is() { [ "$(jq -r .code "$fleet/body")" = "$1" ] || { cat "$fleet/body"; return 1; }; }
has() { grep -qF -- "$2" <<<"$1" || { echo "\"$2\" is not in: ${1:0:300}"; return 1; }; }
lacks() { ! grep -qF -- "$2" <<<"$1" || { echo "\"$2\" is in it"; return 1; }; }

noop() { printf '{"app":"noop","name":"%s","customer":"e2e","tenant":"main","plane":"main"}' "$1"; }

finish() {
  echo "$passed passed, $failed failed"
  [ "$failed" = 0 ]
}

eval "$("$root/deploy/dev/fleet" env)"
export FAIRLEAD_TENANT=e2e/main
