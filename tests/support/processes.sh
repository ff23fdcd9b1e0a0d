# The fleet's processes, for scripts that kill and pause them. Sourced after e2e.sh.
# shellcheck shell=bash disable=SC2154
alive() { [ -d "/proc/$1" ] && ! grep -q '^State:.Z' "/proc/$1/status"; }
gone() { ! alive "$1"; }
stopped_by_signal() { grep -q '^State:.T' "/proc/$1/status"; }
coordinator() { cat "$fleet/coordinator.pid"; }
kill_coordinator() { kill -9 "$(coordinator)" 2>/dev/null || true; within 10 gone "$(coordinator)"; }
start_coordinator() { # FAULT
  FAIRLEAD_FAULT=$1 FAIRLEAD_STATE=$fleet/coordinator setsid "$BUILD/fairlead-coordinator" run >>"$fleet/coordinator.log" 2>&1 </dev/null &
  echo $! >"$fleet/coordinator.pid"
  disown
}
start_worker() { # NAME ROLES FAULT
  FAIRLEAD_FAULT=$3 FAIRLEAD_STATE=$fleet/$1 FAIRLEAD_SECRETS=$fleet/secrets-$1 setsid "$BUILD/fairlead-worker" --roles "$2" run >>"$fleet/$1.log" 2>&1 </dev/null &
  echo $! >"$fleet/$1.pid"
  disown
}
# For scripts that give the slave all hosts, so that it is known which worker passes which point.
roles_of() { [ "$1" = slave ] && echo host || echo builder,edge,dns,prober; }
restart() { # WORKER FAULT
  kill -9 "$(cat "$fleet/$1.pid")" 2>/dev/null || true
  start_worker "$1" "$(roles_of "$1")" "$2"
}
ready() { curl -fs -m 2 "$FAIRLEAD_SERVER/readyz"; }
# A pause is what is tested here: how long somebody was away, not how long something takes.
sleep_for() { read -r -t "$1" <> <(:) || true; }
