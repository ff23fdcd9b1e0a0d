#!/usr/bin/env bash
# Kills, stops and fails real workers at every boundary of every step (reliability section 2), then compares the
# machine with one on which nothing went wrong (P4): containers, networks, volumes, secret files, records and
# markers, routes, guards, rows, events, commits. One life of an app goes through four points: while it is made,
# stopped, started and deleted.
# STEPS=all: every point in every mode, or in those of MODES (make check-fault); else a recorded subset.
# shellcheck source=../support/e2e.sh
. "$(dirname "${BASH_SOURCE[0]}")/../support/e2e.sh"
# shellcheck source=../support/processes.sh
. "$root/tests/support/processes.sh"
# shellcheck source=../support/instances.sh
. "$root/tests/support/instances.sh"
tag=$(($(date +%s) % 10000))
kills=0

# ---- the machine, as far as one instance goes, without what differs from life to life ----
# The Engine's own first health test comes an interval after the start; the step does not wait for it, this does.
is_asked() { # HEX
  local ids
  ids=$(engine ps -aq --filter "label=fairlead.instance=$1")
  # shellcheck disable=SC2086
  [ -z "$ids" ] || ! engine inspect --format '{{.State.Health.Status}}' $ids | grep -q starting
}
snapshot() { # NAME
  local id hex host node port address
  id=$(sql "select id from instances where name = '$1' order by created_at desc limit 1")
  hex=${id//-/} host=$1-main-e2e.$FAIRLEAD_ZONE
  within 20 is_asked "$hex"
  read -r node port address <<<"$(sql "select n.name || ' ' || i.port || ' ' || n.address from instances i join nodes n on n.id = i.node_id where i.id = '$id'")"
  {
    echo "# containers"
    # shellcheck disable=SC2046
    engine inspect $(engine ps -aq --filter "label=fairlead.instance=$hex") 2>/dev/null | jq -S '.[] | {image: .Config.Image, user: .Config.User,
      status: .State.Status, health: .State.Health.Status, memory: .HostConfig.Memory, pids: .HostConfig.PidsLimit, cpus: .HostConfig.NanoCpus,
      caps: .HostConfig.CapDrop, ports: .HostConfig.PortBindings, read_only: .HostConfig.ReadonlyRootfs,
      mounts: [.Mounts[] | {Type, Destination, RW}] | sort_by(.Destination), networks: [.NetworkSettings.Networks | keys[]]}'
    echo "# networks"; engine network ls --format '{{.Name}}' --filter "label=fairlead.instance=$hex"
    echo "# volumes"; engine volume ls -q --filter "label=fairlead.instance=$hex"
    echo "# secrets"; find "$fleet/secrets-$node/$hex" "$fleet/$node/sealed/$hex" -type f -printf '%P %m %U %s\n' 2>/dev/null | sort
    # What the last look saw (seen.json) is there once somebody has looked: that is a matter of time.
    echo "# stack"; find "$fleet/$node/stacks/$hex" -mindepth 1 -maxdepth 1 ! -name seen.json -printf '%P\n' 2>/dev/null | sort || true
    echo "# name"; kdig "@${FAIRLEAD_DNS%:*}" -p "${FAIRLEAD_DNS#*:}" "$host" A +short
    kdig "@${FAIRLEAD_DNS%:*}" -p "${FAIRLEAD_DNS#*:}" "$host" TXT +short | sed 's/serial=[0-9]*//'
    echo "# route"; cat "$FAIRLEAD_EDGE_DIR/map.d/$host.map" "$FAIRLEAD_EDGE_DIR/page.d/$host.map" 2>/dev/null || true
    echo "# guard"; nft -n list ruleset 2>/dev/null | grep -oE "$address \\. $port\\b" | sort -u || true
    echo "# rows"
    sql "select state, health, problem from instances where id = '$id'"
    sql "select kind, absent, confirmed, condition from documents where instance_id = '$id' order by 1"
    sql "select step, part, state from steps where instance_id = '$id' and generation = (select running from instances where id = '$id') order by 1"
    sql "select string_agg(distinct type || coalesce(data->>'step', ''), ' ') from events where instance_id = '$id' and type not in ('health_changed', 'drift_repaired', 'stop_requested', 'stopped', 'start_requested')"
    echo "# commits"; git -c safe.directory='*' -C "$fleet/$node/configuration" log --format=%s "node-$node" -- "$hex" 2>/dev/null | sed 's/revision [0-9]*/revision/' | uniq
  } | sed "s/\\b$FAIRLEAD_EDGE_ADDRESS\\b/EDGE/g; s/$hex/HEX/g; s/$id/ID/g; s/$1/NAME/g; s/\\b$port\\b/PORT/g; s/${hex:0:8}/HEX8/g; s/fl-[0-9a-f]*-HEX/fl-NODE-HEX/g; s/\\b$node\\b/NODE/g; s/$address/ADDRESS/g; s/@sha256:[0-9a-f]*/@DIGEST/g"
}
life() { # NAME POINTS...: what is wanted, and where it ends
  case $2 in
  create) "$fairlead" instance create testapp "$1" --size tiny ;;
  *) "$fairlead" instance "$2" "$1" ${3:+"$3"} ;;
  esac >/dev/null
}
ends_in() { case $1 in create | start) echo running ;; stop) echo stopped ;; delete) echo deleted ;; esac; }
is_in() { sql_is "select state from instances where name = '$1' order by created_at desc limit 1" "$2"; }
settled() { sql_is "select count(*) from documents d join instances i on i.id = d.instance_id where i.name = '$1' and ((d.absent and not d.confirmed) or d.observed <> d.revision)" 0; }

worker_of() { case $1 in stack.* | stop.* | remove.* | keeper.* | worker.spooled) echo slave ;; *) echo server ;; esac; }

# Disarmed: whoever passes the point later is not what the next phase waits for.
not_reached() { # WORKER POINT
  echo "$2 was not reached"
  restart "$1" ''
  return 1
}

# One phase of a life, with a point armed in the worker that passes it. 0: it ended as if nothing had been.
phase() { # NAME WHAT POINT MODE [OPTION]
  local worker pid
  worker=$(worker_of "$3")
  restart "$worker" "$3:$4"
  pid=$(cat "$fleet/$worker.pid")
  life "$1" "$2" "${5:-}" || return 1
  case $4 in
  kill)
    within 45 gone "$pid" || not_reached "$worker" "$3" || return 1
    kills=$((kills + 1))
    restart "$worker" ''
    ;;
  stop) # beyond every time limit of a session; another of its kind takes over what a group shares
    within 45 stopped_by_signal "$pid" || not_reached "$worker" "$3" || return 1
    [ "$worker" = slave ] || start_worker second builder,dns,prober ''
    sleep_for 9
    kill -CONT "$pid"
    ;;
  esac
  within 90 is_in "$1" "$(ends_in "$2")" && within 30 settled "$1" || return 1
  # Gone before the next phase, or it takes the order that the other is to be caught with.
  if [ "$4" = stop ] && [ "$worker" != slave ]; then
    pid=$(cat "$fleet/second.pid")
    kill "$pid"
    within 60 gone "$pid" || return 1
  fi
  snapshot "$1" >"$fleet/snapshot.$2"
  diff -u "$fleet/undisturbed.$2" "$fleet/snapshot.$2"
}

undisturbed() {
  local what
  new_source "$root/tests/e2e/testapp"
  for what in create stop start delete; do
    life calm "$what" "$([ "$what" = delete ] && echo --purge)" && within 90 is_in calm "$(ends_in $what)" && within 30 settled calm || return 1
    snapshot calm >"$fleet/undisturbed.$what"
  done
}

"$fairlead" app register "$root/tests/e2e/testapp" >/dev/null
# One host, so that it is known which worker passes which point.
sql "update nodes set roles = array_remove(roles, 'host') where name = 'server'" >/dev/null
restart server ''
restart slave ''
# A second worker of the shared roles, with an identity of its own, to take over.
if [ ! -e "$fleet/second/node.json" ]; then
  # A script before may have restarted PostgreSQL: 503 means "ask again".
  there() { "$fairlead" node get second || "$fairlead" node create second --plane main --roles builder,dns,prober --address 127.0.0.4; }
  within 20 there
  FAIRLEAD_STATE=$fleet/second "$BUILD/fairlead-worker" enrol "$("$fairlead" node invite second)" >/dev/null
fi
sql "update nodes set roles = '{builder,dns,prober}' where name = 'second'" >/dev/null
# A fresh fleet: one that waits for its host would be told so, and only the first does.
within 60 sql_is "select count(*) from nodes where name in ('server', 'slave') and state = 'ready' and health = 'ok'" 2
ok "a life without a fault is the measure" undisturbed

creating=(resolve.fetched build.exported build.built build.pushed name.read name.sent keeper.accepted stack.rendered stack.pulled stack.recorded
  stack.guarded stack.secrets stack.up stack.healthy worker.spooled route.mapped route.written route.tested route.reloaded verify.named verify.fetched)
stopping=(stop.down route.written stop.unguarded stop.secrets keeper.accepted)
starting=(name.sent stack.up stack.secrets route.reloaded verify.fetched)
deleting=(remove.files remove.images remove.volumes name.sent stop.down stop.secrets route.tested name.read)
modes=(kill)
[ "${STEPS:-}" != all ] || read -r -a modes <<<"${MODES:-kill fail stop}"
n=0
for mode in "${modes[@]}"; do
  for ((i = 0; i < ${#creating[@]}; i++)); do
    # The subset takes every point of the making, and the others in turn.
    a=${creating[i]} b=${stopping[i % ${#stopping[@]}]} c=${starting[i % ${#starting[@]}]} d=${deleting[i % ${#deleting[@]}]}
    name=s$tag-$n n=$((n + 1))
    case $a in build.*) new_source "$root/tests/e2e/testapp" ;; esac
    ok "$mode at $a while it is made" phase "$name" create "$a" "$mode"
    if [ "${STEPS:-}" = all ] || [ $i -lt 2 ]; then
      ok "$mode at $b while it is stopped" phase "$name" stop "$b" "$mode"
      ok "$mode at $c while it is started" phase "$name" start "$c" "$mode"
    fi
    if [ "${STEPS:-}" = all ] || [ $i -lt 2 ]; then
      ok "$mode at $d while it is deleted" phase "$name" delete "$d" "$mode" --purge
    else
      "$fairlead" instance delete "$name" --purge >/dev/null
    fi
  done
done
# In the other modes the subset takes a few.
if [ "${STEPS:-}" != all ]; then
  ok "a call that fails at stack.up is tried again" phase "f$tag" create stack.up fail
  ok "... and at name.sent" phase "f$tag" delete name.sent fail --purge
  ok "a worker that is paused at verify.named beyond every time limit changes nothing" phase "p$tag" create verify.named stop
  ok "... nor one at stop.secrets" phase "p$tag" delete stop.secrets stop --purge
fi

enrols() { FAIRLEAD_STATE=$1 "$BUILD/fairlead-worker" enrol "$2" >/dev/null 2>&1 && [ -e "$1/node.json" ]; }
enrols_after() { # POINT: whether the code is used up or not, the same token is answered again, and so is a new one
  local state=$fleet/third token
  token=$("$fairlead" node invite third)
  rm -rf "$state"
  FAIRLEAD_FAULT=$1:kill FAIRLEAD_STATE=$state "$BUILD/fairlead-worker" enrol "$token" >/dev/null 2>&1 || true
  [ ! -e "$state/node.json" ] || return 1
  enrols "$state" "$token" && enrols "$state" "$("$fairlead" node invite third)"
}
"$fairlead" node create third --plane main --roles dns --address 127.0.0.5 >/dev/null 2>&1 || true
ok "a node that dies at enrol.asked enrols by the same token" enrols_after enrol.asked
ok "... and at enrol.keys" enrols_after enrol.keys
dies_at_enrol() { # the coordinator, when it has stored a node's keys and has answered nobody
  local state=$fleet/third token
  token=$("$fairlead" node invite third)
  rm -rf "$state"
  kill_coordinator
  start_coordinator enrol.stored:kill
  within 20 ready
  enrols "$state" "$token" && return 1
  within 10 gone "$(coordinator)"
  start_coordinator ''
  within 20 ready
  enrols "$state" "$token"
}
good_once() {
  local token
  token=$("$fairlead" node invite third)
  rm -rf "$fleet/fourth"
  enrols "$fleet/third" "$token" && ! enrols "$fleet/fourth" "$token"
}
ok "... and one whose coordinator dies at enrol.stored" dies_at_enrol
ok "a code is good for one node" good_once

sql "update nodes set roles = '{builder,host,edge,dns,prober}' where name = 'server'" >/dev/null
restart server ''
restart slave ''
# Nobody runs these any more: what one of them would watch is not known to be well.
sql "update nodes set roles = '{}' where name in ('second', 'third')" >/dev/null
"$root/deploy/dev/fork" "$root/tests/e2e/testapp" "$fleet/forks"
ok "all of them are deleted" within 120 sql_is "select count(*) from instances where name like 's$tag-%' and state <> 'deleted'" 0
ok "nothing of them is left (P23)" test -z "$(engine ps -aq --filter label=fairlead.instance | xargs -r docker -H "unix://$FAIRLEAD_DOCKER" inspect --format '{{index .Config.Labels "fairlead.instance"}}' | while read -r h; do sql "select name from instances where replace(id::text, '-', '') = '$h' and state = 'deleted'"; done)"
echo "   $kills kills"
finish
