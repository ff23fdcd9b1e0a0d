# Repair time per kind of drift: from the damage until it is told as repaired; of DNS, until the record is written
# again. Several kinds at once, as it comes. Sourced by run.
# shellcheck shell=bash disable=SC2154
# shellcheck source=../support/drift.sh
. "$root/tests/support/drift.sh"
engine() { docker -H "unix://$FAIRLEAD_DOCKER" "$@"; }
is_well() { is ok "select health from instances where id = '$1'"; }
repaired_at() { # INSTANCE SINCE
  sql "select least((select min(at) from events where instance_id = '$1' and type = 'drift_repaired' and at > '$2'),
    (select min(ended_at) from intents where instance_id = '$1' and kind = 'repair' and state = 'done' and accepted_at > '$2'))"
}
is_repaired() { [ -n "$(repaired_at "$@")" ]; }
repair_all() { # KIND...
  local kind i=0 since=() ids=()
  for kind in "$@"; do
    i=$((i + 1))
    ids[i]=$(id "drift$i")
    within 60 is_well "${ids[i]}"
  done
  i=0
  for kind in "$@"; do
    i=$((i + 1))
    since[i]=$(sql "select clock_timestamp()")
    "$kind" "drift$i" >/dev/null
  done
  i=0
  for kind in "$@"; do
    i=$((i + 1))
    within 70 is_repaired "${ids[i]}" "${since[i]}"
    sample "repair_s_$kind" "$(sql "select round(extract(epoch from '$(repaired_at "${ids[i]}" "${since[i]}")'::timestamptz - '${since[i]}')::numeric, 1)")"
  done
}
drift() {
  local fairlead=$BUILD/fairlead
  local -x FAIRLEAD_TENANT=e2e/main
  "$fairlead" customer create e2e --plan trial >/dev/null 2>&1 || true
  "$fairlead" tenant create e2e/main >/dev/null 2>&1 || true
  seq 7 | xargs -P 4 -I{} "$fairlead" instance create testapp "drift{}" --size tiny --wait --timeout 120 >/dev/null
  repair_all removed stopped paused limited drop_route edit_route open_guard
  # An image is any of its apps' to mend: no figure of one.
  repair_all edit_compose drop_secret join_stranger drop_address change_address drop_marker
  engine rm -f stranger-of-drift3 >/dev/null
  seq 7 | xargs -P 4 -I{} "$fairlead" instance delete "drift{}" --purge --wait --timeout 60 >/dev/null
}
