#!/usr/bin/env bash
# The key that signs is changed: by plan, and after a theft. No hand touches a node (P15).
# shellcheck source=../support/e2e.sh
. "$(dirname "${BASH_SOURCE[0]}")/../support/e2e.sh"
# shellcheck source=../support/processes.sh
. "$root/tests/support/processes.sh"
# shellcheck source=../support/instances.sh
. "$root/tests/support/instances.sh"
tag=$(($(date +%s) % 100000))
app=keys$tag
state=$fleet/coordinator
dir=$fleet/keys && mkdir -p "$dir"
rotate() { FAIRLEAD_STATE=$state "$BUILD/fairlead-coordinator" rotate "$@"; }
phase_is() { [ "$("$fairlead" key list -o json | jq -r "last.phase")" = "$1" ]; }
last_set() { "$fairlead" key list -o json | jq -r 'last.n // 1'; }
all_know() { sql_is "select count(*) from nodes where state = 'ready' and health = 'ok' and key_set < $1" 0; }
signed_by() { # KEY_ID: how many documents are
  sql "select count(*) from documents where position('\\x1a08$1'::bytea in envelope) > 0"
}
started() { engine inspect -f '{{.State.StartedAt}}' "$(container "$app")"; }
not_by() { [ "$(sql "select count(*) from documents")" = "$(signed_by "$1")" ]; }
explain() { "$fairlead" key list; "$fairlead" node list; grep -hE ' (warn|error) ' "$fleet"/{coordinator,server,slave}.log | tail -n 5; }

"$fairlead" app register "$root/tests/e2e/testapp" >/dev/null
ok "an app runs" "$fairlead" instance create testapp "$app" --size tiny --wait --timeout 120
on=$(node "$app")
since=$(started)

# ---- by plan ----
mkdir -p "$dir/empty"
ok "without the root's key nothing is rotated, and it says what to do" bash -c "! FAIRLEAD_AUTHORITY='$dir/empty' '$BUILD/fairlead-coordinator' --state '$state' rotate >'$dir/out' 2>&1; grep -q 'root.key: put it into' '$dir/out'"
ok "rotate takes no other word" bash -c "! '$BUILD/fairlead-coordinator' --state '$state' rotate now >'$dir/out' 2>&1; grep -q 'rotate takes' '$dir/out'"
ok "nodes say by which set they judge" within 30 all_know 1
before=$(last_set)
ok "whoever dies while rotating has changed nothing" bash -c "! FAIRLEAD_FAULT=key.made:kill FAIRLEAD_STATE='$state' '$BUILD/fairlead-coordinator' rotate"
ok "... that counts" test "$(last_set)" = "$before"
ok "a key is made, and the root signs what follows" rotate
ok "... of which there is one at a time" bash -c "! FAIRLEAD_STATE='$state' '$BUILD/fairlead-coordinator' rotate >'$dir/out' 2>&1; grep -q 'being rotated already' '$dir/out'"
n=$(last_set)
young=$(sql "select encode(sign_key, 'hex') from key_sets where n = $n")
file=$(cd "$state" && grep -l "^$young" coordinator.*.keys)
id=${file#coordinator.} id=${id%.keys}
ok "nodes learn of it" within 60 all_know $((n - 1))
signs() { sql_is "select signs_at is not null from key_sets where n = $((n - 1))" t; }
ok "... then it signs" within 60 signs
# Dead while it signs again, it begins again.
kill "$(coordinator)"
within 30 gone "$(coordinator)"
start_coordinator documents.signed:kill
died() { gone "$(coordinator)"; }
within 60 died
start_coordinator ""
within 20 ready
ok "... all documents again, also where the coordinator dies meanwhile" within 60 not_by "$id"
ok "... and those before it are retired" within 90 phase_is "done"
ok "... which every node knows" within 60 all_know "$n"
ok "the app was not touched" test "$(started)" = "$since"
ok "... it serves" serves "$app"
holds_new() { od -An -v -tx1 "$fleet/$on/documents/$(hex "$app").stack.accepted" | tr -d ' \n' | grep -c "1a08$id" >/dev/null; }
ok "... and is held under the new key" within 30 holds_new
no_doubt() { [ -z "$("$fairlead" node get "$on" -o json | jq -r '.doubt // ""')" ]; }
ok "no node is in doubt" no_doubt
ok "the doctor finds nothing amiss with keys" bash -c "'$fairlead' doctor -o json | jq -e '.[] | select(.check == \"keys\") | .ok' >/dev/null"
ok "another app is built, named, probed: orders are believed" "$fairlead" instance create testapp "after$tag" --size tiny --wait --timeout 120
ok "... and what it delivers opens" bash -c "'$fairlead' instance credentials 'after$tag' >/dev/null"
ok "the audit is whole: heads of both keys are ours" "$fairlead" audit verify

# ---- another coordinator, which was not given the new key ----
install -d -m 0700 "$dir/other"
cp "$state/coordinator.keys" "$dir/other"
FAIRLEAD_PORT=$((FAIRLEAD_PORT + 9)) FAIRLEAD_STATE=$dir/other setsid "$BUILD/fairlead-coordinator" run >"$fleet/other.log" 2>&1 </dev/null &
second=$!
trap 'kill $second 2>/dev/null || true' EXIT
other=http://127.0.0.1:$((FAIRLEAD_PORT + 9))
within 20 curl -fs -m 2 "$other/readyz"
through_other() { # what it answers to a request
  curl -s -o /dev/null -m 20 -w '%{http_code}' -X POST -H "Authorization: Bearer $(cat "$fleet/token")" -H 'Content-Type: application/json' -d '{"days":1}' "$other/v1/instances/$(id "$app")/extend" || true
}
other_says() { [ "$(through_other)" = "$1" ]; }
ok "a coordinator without the key takes nothing on" bash -c "[ '$(through_other)' != 202 ]"
ok "... and says what to do" grep -q "signs with another key by now: copy \\\\\"$dir/other/$file" "$fleet/other.log"
cp "$state/$file" "$dir/other"
ok "... with the key it goes on by itself" within 60 other_says 202
ok "... and so does what had waited for it" "$fairlead" instance delete "after$tag" --purge --wait --timeout 120
kill "$second"
within 30 gone "$second"
"$fairlead" instance create testapp "after$tag" --size tiny --wait --timeout 120 >/dev/null

# ---- stolen ----
thief=$dir/stolen.keys && cp "$state/$file" "$thief"
paper() { "$BUILD/tests/support/paper" "$thief" "$fleet/$on" "$(hex "$app")" "$@"; }
highest=9223372036854775807
ok "a thief of the key stops the app, with the highest revision that there is" paper $highest stack off
down() { ! serves "$app"; }
ok "... and it is believed: that is what the key is for" within 60 down
ok "... it invents something" paper $highest set store 20999 off
ok "... the node's clock is put forward, too" paper 7000000000000000 heartbeat on
refused_by_number() { grep -q 'an older revision than the one that is held' "$fleet/$on.log"; }
"$BUILD/fairlead-coordinator" --state "$state" republish >/dev/null
ok "... no revision of ours is above it" within 30 refused_by_number
# In the middle of a rotation by plan: its last set, which would make the stolen key the only one, is known to the thief, too.
ok "a rotation is under way" rotate
planned=$(sql "select max(n) from key_sets where released_at is null")
ok "... whose last set nobody was told of yet" test -n "$planned"
ok "the root names another key" rotate stolen
ok "... by a number that was never given before" test "$(last_set)" -gt "$planned"
ok "... every node knows it, by itself" within 60 all_know "$(last_set)"
ok "... it signs, and has signed all again" within 60 phase_is "done"
ok "... and the app is back" within 90 serves "$app"
names_strangers() { { "$fairlead" doctor -o json || true; } | jq -e ".[] | select(.check == \"documents\") | .what | contains(\"$on (\")" >/dev/null; }
ok "what the thief invented is left alone, and the doctor names it" within 60 names_strangers
ok "what the thief signs now is refused" bash -c "$(declare -f paper hex id sql); BUILD='$BUILD' thief='$thief' fleet='$fleet' on='$on' app='$app'; paper $highest stack off"
refused() { grep -q 'signed by a key that is retired' "$fleet/$on.log"; }
ok "... with its reason" within 20 refused
ok "... and nothing follows" serves "$app"
kill -9 "$(cat "$fleet/$on.pid")"
start_worker "$on" "$(sql "select array_to_string(roles, ',') from nodes where name = '$on'")" ""
served_again() { serves "$app" && all_know "$(last_set)"; }
ok "a start changes nothing of it" within 60 served_again
ok "a node that was in doubt is so no more" within 60 no_doubt
ok "apps come and go as before" "$fairlead" instance delete "after$tag" --purge --wait --timeout 120
ok "a node that joins now is told the set with its welcome" bash -c "
  '$fairlead' node create key$tag --plane main --roles builder --address 127.0.0.1 >/dev/null
  token=\$('$fairlead' node invite key$tag -o json | jq -r .token)
  '$BUILD/fairlead-worker' --state '$dir/joins' enrol \"\$token\" >/dev/null
  test -s '$dir/joins/keys'"
"$fairlead" node revoke "key$tag" >/dev/null 2>&1 || true
"$fairlead" instance delete "$app" --purge --wait --timeout 120 >/dev/null
finish
