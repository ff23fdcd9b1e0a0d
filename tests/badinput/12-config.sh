#!/usr/bin/env bash
# Bad inputs: config, files, command line and signals. Every refusal is one line that says what to do, and an exit code.
# shellcheck source=../support/e2e.sh
. "$(dirname "${BASH_SOURCE[0]}")/../support/e2e.sh"
# shellcheck source=../support/processes.sh
. "$root/tests/support/processes.sh"
bad=$fleet/bad
rm -rf "$bad" && mkdir -p "$bad"
# refuses EXIT WORDS COMMAND...
refuses() {
  local want=$1 words=$2 got=0
  shift 2
  timeout 20 "$@" >"$bad/out" 2>&1 </dev/null || got=$?
  [ "$got" = "$want" ] || { echo "exit $got, not $want"; cat "$bad/out"; return 1; }
  has "$(cat "$bad/out")" "$words"
}
coordinator=$BUILD/fairlead-coordinator worker=$BUILD/fairlead-worker
run_coordinator() { FAIRLEAD_STATE=$fleet/coordinator FAIRLEAD_PORT=0 "$coordinator" "$@"; }
export -f run_coordinator
# ---- command line ----
for program in "$coordinator" "$worker"; do
  p=${program##*/}
  ok "$p: an unknown option" refuses 2 "is not an option" "$program" --nonsense 1
  ok "$p: an option without its value" refuses 2 "needs a value" "$program" --log
  ok "$p: an unknown command" refuses 2 "is not a command" "$program" nonsense
  ok "$p: too many commands" refuses 2 "" "$program" run run run
  ok "$p: --help ends well" refuses 0 "usage" "$program" --help
done
ok "fairlead: days that are no number" refuses 2 "takes a number of days" "$fairlead" instance extend any --tenant e2e/main --days abc
ok "fairlead: nothing" refuses 2 usage "$fairlead"
ok "fairlead: an unknown command" refuses 2 "is not a command" "$fairlead" instance nonsense
ok "fairlead: an unknown option" refuses 2 "is not an option" "$fairlead" plan list --nonsense
ok "fairlead: an option without its value" refuses 2 "needs a value" "$fairlead" plan list --server
ok "fairlead: -o of another kind" refuses 2 "table or json" "$fairlead" plan list -o xml
ok "fairlead: an argument too many" refuses 2 "too many" "$fairlead" plan get a b
ok "fairlead: a server that is none" refuses 4 "cannot be reached" "$fairlead" plan list --server nonsense
ok "fairlead: a name with a slash" refuses 2 "lower-case" "$fairlead" instance get 'a/../b'
ok "fairlead: an empty name" refuses 3 "" "$fairlead" instance get 'zzz'
# shellcheck disable=SC2046
ok "fairlead: 100 options" refuses 2 "more than 64 options" "$fairlead" instance create testapp x $(for i in $(seq 100); do printf -- '--set a%d=b ' "$i"; done)
ok "fairlead: closed streams" bash -c "'$fairlead' plan list >&- 2>&- <&-; test \$? -lt 128"
ok "fairlead: nobody reads" bash -c "'$fairlead' instance list | head -n 1; [[ \${PIPESTATUS[0]} =~ ^(0|141)\$ ]]" # 141: by SIGPIPE
ok "fairlead: no HOME" env -u HOME "$fairlead" plan list
# ---- config files ----
config() { # EXIT WORDS TEXT (printf): of a coordinator
  printf '%b' "$3" >"$bad/conf"
  refuses "$1" "$2" "$coordinator" --config "$bad/conf" api
}
ok "config: missing" refuses 2 "cannot open" "$coordinator" --config "$bad/nothing" run
ok "config: a folder" refuses 2 "cannot" "$coordinator" --config "$bad" run
ok "config: an unknown setting" config 2 "is not a setting" 'nonsense = 1\n'
ok "config: a line without =" config 2 "name = value" 'kafka\n'
ok "config: a number that is none" config 2 "must be a number" 'name-hold = eighty\n'
ok "coordinator: a port that there is not" refuses 2 "from 0 to 65535" "$coordinator" --port 70000 api
ok "config: fewer than no connections" config 2 "from 1 to" 'connections = -1\n'
ok "coordinator: a number with a tail" refuses 2 "from 1 to" "$coordinator" --dns-ttl 60s api
ok "config: a word that is no choice" config 2 "must be one of: debug info warn error" 'log = loud\n'
ok "config: noise" config 2 "" '\xff\xfe\x01\x02'
head -c 1000000 /dev/zero | tr '\0' a >"$bad/large"
ok "config: 1 MB" refuses 2 "larger" "$coordinator" --config "$bad/large" run
ok "a required setting that is not there" env -u FAIRLEAD_DATABASE bash -c "! '$coordinator' run 2>&1 | grep -vq database"
ok "Kafka off this machine" refuses 1 "without --kafka-ca it is refused" env FAIRLEAD_STATE="$fleet/coordinator" "$coordinator" --kafka 10.0.0.1:9092 --kafka-ca "" run
without_database() {
  local pid rc=0
  FAIRLEAD_STATE=$fleet/coordinator FAIRLEAD_PORT=18195 "$coordinator" --database host=/nonexistent api >"$bad/out" 2>&1 &
  pid=$!
  within 10 test_status 503 http://127.0.0.1:18195/readyz && test_status 200 http://127.0.0.1:18195/healthz && test_status 503 http://127.0.0.1:18195/v1/plans || rc=1
  kill "$pid" && wait "$pid" || true
  return $rc
}
test_status() { [ "$(curl -s -m 5 -o /dev/null -w '%{http_code}' -H "Authorization: Bearer $(cat "$fleet/token")" "$2")" = "$1" ]; }
ok "a database that is not there: alive, not ready, and 503" without_database
# ---- keys and tokens ----
token_file() { # MODE TEXT
  rm -rf "$bad/token" && printf '%b' "$2" >"$bad/token" && chmod "$1" "$bad/token"
}
serve_with() { refuses "$1" "$2" env FAIRLEAD_STATE="$fleet/coordinator" FAIRLEAD_PORT=18199 "$coordinator" --token-file "$bad/token" api; }
token_file 0644 'a-token-that-is-long-enough\n'
ok "a token that others may read" serve_with 1 "chmod 600"
token_file 0600 'short\n'
ok "a token that is short" serve_with 1 "fewer than 20"
token_file 0600 ''
ok "an empty token" serve_with 1 "fewer than 20"
rm -f "$bad/token" && ln -s "$fleet/token" "$bad/token"
ok "a token that is a link" serve_with 1 "cannot open"
rm -f "$bad/token" && mkdir "$bad/token"
ok "a token that is a folder" serve_with 1 ""
rmdir "$bad/token"
ok "a token that is not there" serve_with 1 "cannot open"
keys_of() { # WORDS MODE TEXT: keys of a coordinator
  rm -rf "$bad/state" && mkdir -p "$bad/state" && printf '%b' "$3" >"$bad/state/coordinator.keys" && chmod "$2" "$bad/state/coordinator.keys"
  refuses 1 "$1" env FAIRLEAD_STATE="$bad/state" FAIRLEAD_PORT=18199 "$coordinator" api
}
ok "keys that others may read" keys_of "chmod 600" 0644 "$(cat "$fleet/coordinator/coordinator.keys")"
ok "keys that are empty" keys_of "" 0600 ''
ok "keys that are cut" keys_of "" 0600 "$(head -c 70 "$fleet/coordinator/coordinator.keys")"
ok "keys that are not hex" keys_of "" 0600 "$(tr '0-9a-f' 'z' <"$fleet/coordinator/coordinator.keys")"
node_with() { # WORDS: a worker whose state folder is $bad/node
  refuses 1 "$1" env FAIRLEAD_STATE="$bad/node" FAIRLEAD_SECRETS="$bad/secrets" "$worker" --roles dns run
}
copy_node() { rm -rf "$bad/node" && mkdir -p "$bad/node" && cp -a "$fleet/slave/node.json" "$fleet/slave/node.keys" "$bad/node/"; }
rm -rf "$bad/node"
ok "a node that has not enrolled" node_with "enrol TOKEN"
copy_node && chmod 0644 "$bad/node/node.json"
ok "an identity that others may read" node_with "chmod 600"
copy_node && : >"$bad/node/node.json"
ok "an identity that is empty" node_with ""
copy_node && echo '{"name":"x"}' >"$bad/node/node.json"
ok "an identity that is not whole" node_with "enrol again"
copy_node && head -c 10 "$fleet/slave/node.keys" >"$bad/node/node.keys"
ok "keys of a node that are cut" node_with ""
ratchet() { # TEXT: one file among the documents
  copy_node && mkdir -p "$bad/node/documents" && printf '%b' "$1" >"$bad/node/documents/$(printf '0%.0s' {1..32}).stack.accepted"
  node_with "cannot be read: restore it, or enrol anew"
}
ok "a ratchet that is half-written" ratchet '\x0a\x14fair'
ok "a ratchet that is empty" ratchet ''
ok "a ratchet of another's signature" ratchet '\x0a\x14fairlead.document.v1\x12\x02\x0a\x00\x1a\x08aaaaaaaa\x22\x01a'
ok "metrics off this machine" bash -c "cp -a '$fleet/slave/node.json' '$fleet/slave/node.keys' '$bad/node/' && rm -rf '$bad/node/documents' && ! FAIRLEAD_STATE='$bad/node' timeout 20 '$worker' --roles dns --metrics 0.0.0.0:9999 run"
ok "a guard that is none" bash -c "! FAIRLEAD_STATE='$bad/node' timeout 20 '$worker' --roles dns --guard iptables run"
# ---- signals and limits ----
second() { # a coordinator beside the other, on a port of its own
  FAIRLEAD_STATE=$fleet/coordinator FAIRLEAD_PORT=18198 "$@" "$coordinator" run >"$bad/second.log" 2>&1 </dev/null &
  echo $!
}
ends_with() { # SIGNAL: gracefully
  local pid
  pid=$(second env)
  within 10 curl -fs -m 1 http://127.0.0.1:18198/healthz || return 1
  kill -s "$1" "$pid"
  within 20 gone "$pid"
}
ok "SIGTERM ends it gracefully" ends_with TERM
ok "SIGINT, too" ends_with INT
storm() {
  local pid
  pid=$(second env)
  within 10 curl -fs -m 1 http://127.0.0.1:18198/healthz || return 1
  for _ in $(seq 200); do kill -s PIPE "$pid"; done
  curl -fs -m 2 http://127.0.0.1:18198/healthz || return 1
  kill -s TERM "$pid" && for _ in $(seq 50); do kill -s TERM "$pid" 2>/dev/null || break; done
  within 20 gone "$pid"
}
ok "a storm of SIGPIPE and SIGTERM" storm
another() { FAIRLEAD_STATE=$fleet/slave timeout 20 "$worker" --roles host run >"$bad/another.log" 2>&1 && return 1; grep -q 'another worker runs on the state folder' "$bad/another.log"; }
ok "a second worker on one state folder" another
ok "umask 0 opens no file to others" bash -c "umask 0; rm -rf '$bad/open' && mkdir -m 0700 '$bad/open'; FAIRLEAD_STATE='$bad/open' FAIRLEAD_PORT=18197 timeout 3 '$coordinator' api >/dev/null 2>&1; [ \"\$(stat -c %a '$bad/open/coordinator.keys')\" = 600 ]"
ok "few file handles are an error, not a crash" bash -c "ulimit -n 12; FAIRLEAD_STATE='$fleet/coordinator' FAIRLEAD_PORT=18196 timeout 10 '$coordinator' run >/dev/null 2>&1; test \$? -lt 128"
ok "the fleet lives on" bash -c "kill -0 \$(cat '$fleet/server.pid') && curl -fs -m 3 '$FAIRLEAD_SERVER/healthz'"
finish
