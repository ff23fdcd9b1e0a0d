#!/usr/bin/env bash
# A step that cannot succeed ends in "failed" within its budget: with the step, a class, one plain sentence and the last
# lines, the same in SQL, API and CLI; retry goes on from there once it is mended; a delete leaves nothing.
# shellcheck source=../support/e2e.sh
. "$(dirname "${BASH_SOURCE[0]}")/../support/e2e.sh"
id() { sql "select id from instances where name = '$1' order by created_at desc limit 1"; }
make_app() { # NAME: a copy of the test app under another name, with an image of its own
  rm -rf "$fleet/apps/$1" && mkdir -p "$fleet/apps" && cp -r "$root/tests/e2e/testapp" "$fleet/apps/$1"
  sed -i "s/repository: testapp/repository: $1/" "$fleet/apps/$1/app.yaml"
  echo "# $(date +%s%N)" >>"$fleet/apps/$1/image/web/Dockerfile"
}
publish() { "$root/deploy/dev/fork" "$fleet/apps/$1" "$fleet/forks" && "$fairlead" app register "$fleet/apps/$1"; }
ask_for() { "$fairlead" instance create "$1" "$2" --size "${3:-tiny}" >/dev/null; }

# The same words everywhere: SQL, API, CLI.
failed_as() { # NAME STEP CLASS WORDS
  state_is "$1" failed || { "$fairlead" instance steps "$1"; return 1; }
  sql_is "select step || ' ' || class from stuck_v1 where instance = '$1'" "$2 $3" || return 1
  local sentence
  sentence=$(sql "select reason from stuck_v1 where instance = '$1'")
  has "$sentence" "$4" || return 1
  answers 200 GET "/v1/instances/$(id "$1")" && [ "$(jq -r .problem "$fleet/body")" = "$sentence" ] || return 1
  answers 200 GET "/v1/instances/$(id "$1")/steps" && [ "$(jq -r "[.items[] | select(.step == \"$2\")] | last | .class + \"|\" + .problem" "$fleet/body")" = "$3|$sentence" ] || return 1
  has "$("$fairlead" instance get "$1")" "$sentence"
}
shows_lines() { has "$("$fairlead" instance steps "$1")" "$2"; }
mended() { "$fairlead" instance retry "$1" --wait --timeout 120; }
leaves_nothing() { # NAME
  local hex
  hex=$(id "$1") hex=${hex//-/}
  "$fairlead" instance delete "$1" --purge --wait --timeout 90 || return 1
  [ -z "$(engine ps -aq --filter "label=fairlead.instance=$hex")$(engine network ls -q --filter "label=fairlead.instance=$hex")$(engine volume ls -q --filter "label=fairlead.instance=$hex")" ] || return 1
  [ -z "$(kdig "@${FAIRLEAD_DNS%:*}" -p "${FAIRLEAD_DNS#*:}" "$1-main-e2e.$FAIRLEAD_ZONE" A +short)" ] || return 1
  ! ls -d "$FAIRLEAD_EDGE_DIR/map.d/$1-main-e2e.$FAIRLEAD_ZONE.map" "$fleet"/*/stacks/"$hex" "$fleet"/secrets-*/"$hex" "$fleet"/*/sealed/"$hex" 2>/dev/null
}

# Whatever ends this script, it leaves no listener and no moved clock behind.
leave() {
  xargs -r kill <"$fleet/listeners" 2>/dev/null || true
  rm -f "$FAIRLEAD_EDGE_DIR"/conf.d/zz-*.conf
  sql "update installation set clock_offset_us = 0" >/dev/null || true
}
: >"$fleet/listeners"
trap leave EXIT

# ---- what ends at once ----
make_app badfile
sed -i 's/^USER/RUN echo the last words \&\& false\nUSER/' "$fleet/apps/badfile/image/web/Dockerfile"
publish badfile >/dev/null
ask_for badfile nofile
ok "a Dockerfile that fails: failed" within 90 state_is nofile failed
ok "... with its class everywhere" failed_as nofile build build_failed "ended with 1: the last words"
ok "... and the build's last lines" shows_lines nofile "the last words"
sed -i '/the last words/d' "$fleet/apps/badfile/image/web/Dockerfile"
"$root/deploy/dev/fork" "$fleet/apps/badfile" "$fleet/forks" >/dev/null
ok "... mended in its source, retry goes on" mended nofile
ok "... and it leaves nothing" leaves_nothing nofile

make_app heredoc
sed -i 's/^USER/RUN <<END\ntrue\nEND\nUSER/' "$fleet/apps/heredoc/image/web/Dockerfile"
publish heredoc >/dev/null
ask_for heredoc newer
ok "a Dockerfile for BuildKit: failed" within 90 state_is newer failed
ok "... and the reason names it" failed_as newer build build_failed "without BuildKit"
ok "... and it leaves nothing" leaves_nothing newer

"$fairlead" app register "$root/tests/e2e/testapp" >/dev/null
cp -a "$FAIRLEAD_DNS_KEY_FILE" "$fleet/dns.key"
sed -i 's/:[^:]*$/:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=/' "$FAIRLEAD_DNS_KEY_FILE"
ask_for testapp nodns
ok "DNS refuses our key: failed" within 60 state_is nodns failed
ok "... with its class everywhere" failed_as nodns name dns_refused "refuses our key"
cp -a "$fleet/dns.key" "$FAIRLEAD_DNS_KEY_FILE"
ok "... mended, retry goes on" mended nodns
ok "... and it leaves nothing" leaves_nothing nodns

named() { # LINE...: somebody else's records in the zone
  { printf 'server %s %s\nzone %s\n' "${FAIRLEAD_DNS%:*}" "${FAIRLEAD_DNS#*:}" "$FAIRLEAD_ZONE"; printf '%s\n' "$@" send quit; } |
    knsupdate -k "$FAIRLEAD_DNS_KEY_FILE"
}
tries() { sql "select attempt from steps s join instances i on i.id = s.instance_id where i.name = '$1' and s.step = 'name'"; }
for record in 'CNAME elsewhere.example.|alias (CNAME)|cname' 'AAAA 2001:db8::1|other records|aaaa'; do
  IFS='|' read -r what words name <<<"$record"
  named "add $name-main-e2e.$FAIRLEAD_ZONE. 5 $what"
  ask_for testapp "$name"
  ok "a name that holds ${what%% *} is somebody's: failed" within 60 state_is "$name" failed
  ok "... at once" test "$(tries "$name")" = 1
  ok "... with its class everywhere" failed_as "$name" name name_taken "$words"
  named "del $name-main-e2e.$FAIRLEAD_ZONE. ${what%% *}"
  ok "... mended, retry goes on" mended "$name"
  ok "... and it leaves nothing" leaves_nothing "$name"
done
named "add *.$FAIRLEAD_ZONE. 5 A 192.0.2.1" "add *.$FAIRLEAD_ZONE. 5 TXT wild"
ok "a wildcard in the zone takes nobody's name" "$fairlead" instance create testapp wild --size tiny --wait --timeout 120
named "del *.$FAIRLEAD_ZONE. A" "del *.$FAIRLEAD_ZONE. TXT"
ok "... and it leaves nothing" leaves_nothing wild

echo 'this_is_no_directive on;' >"$FAIRLEAD_EDGE_DIR/conf.d/zz-broken.conf"
ask_for testapp nonginx
ok "nginx refuses its configuration: failed" within 60 state_is nonginx failed
ok "... with its class everywhere" failed_as nonginx route nginx_test "the old one serves on"
ok "... and nginx's own words" shows_lines nonginx "unknown directive"
mv "$FAIRLEAD_EDGE_DIR/conf.d/fairlead.conf" "$fleet/server.conf"
echo 'map_hash_max_size 4096;' >"$FAIRLEAD_EDGE_DIR/conf.d/zz-broken.conf"
refuses_again() { ! "$fairlead" instance retry nonginx --wait --timeout 60 && failed_as nonginx route nginx_test "serves on"; }
ok "... and our server block beside a setting of somebody else" refuses_again
ok "... whose own words it shows" shows_lines nonginx "is duplicate"
ok "... and which is not left behind" test ! -e "$FAIRLEAD_EDGE_DIR/conf.d/fairlead.conf"
rm "$FAIRLEAD_EDGE_DIR/conf.d/zz-broken.conf"
ok "... mended, retry goes on" mended nonginx
ok "... and it leaves nothing" leaves_nothing nonginx

make_app lost
publish lost >/dev/null
ok "an image is built" "$fairlead" instance create lost lost1 --size tiny --wait --timeout 120
key=$(sql "select work_key from steps where instance_id = '$(id lost1)' and step = 'build'")
image=$(sql "select facts->>'image' from works where key = '$key'")
none=$(printf '0%.0s' {1..64})
sql "update works set facts = jsonb_set(facts, '{image}', '\"${image%@*}@sha256:$none\"') where key = '$key'" >/dev/null
ask_for lost noword
ok "an image whose provenance is about another one: failed" within 60 state_is noword failed
ok "... with its class everywhere" failed_as noword stack bad_provenance "about another image"
# Its provenance binds an image that no Engine here has, which the registry has not either; then one that it has, and which is another.
image_id=$(sql "select facts->>'image_id' from works where key = '$key'")
sql "update works set facts = replace(replace(facts::text, '${image#*@sha256:}', '$none'), '${image_id#sha256:}', '$none')::jsonb where key = '$key'" >/dev/null
ask_for lost nodigest
ok "a digest that the registry does not have: failed" within 60 state_is nodigest failed
ok "... with its class everywhere" failed_as nodigest stack image_missing "does not have"
restore="(m.provenance || jsonb_build_object('image', m.image))"
sql "update works w set facts = replace($restore::text, '${image_id#sha256:}', '$none')::jsonb from images m where w.key = '$key' and 'build:' || m.build_key = w.key" >/dev/null
ask_for lost noimage
ok "one that is not what its provenance binds: failed" within 60 state_is noimage failed
ok "... and not loaded" failed_as noimage stack image_other "was not loaded"
# And one that is here, of something else: that an Engine has an image says nothing of the digest.
other=$(engine image inspect "$FAIRLEAD_REGISTRY/$FAIRLEAD_BASE" --format '{{.Id}}')
sql "update works w set facts = replace($restore::text, '${image_id#sha256:}', '${other#sha256:}')::jsonb from images m where w.key = '$key' and 'build:' || m.build_key = w.key" >/dev/null
ask_for lost nothis
ok "one that is here and is another: failed" within 60 state_is nothis failed
ok "... and not started" failed_as nothis stack image_other "was not loaded"
sql "update works w set facts = $restore from images m where w.key = '$key' and 'build:' || m.build_key = w.key" >/dev/null
for one in noword nodigest noimage nothis; do ok "... and it leaves nothing" leaves_nothing $one; done
ok "... nor does the other" leaves_nothing lost1

# ---- what uses up its budget: all at once, with a clock that moves by a minute at a time ----
make_app nopush
publish nopush >/dev/null
listen() { # ADDRESS PORT
  perl -MIO::Socket::INET -e '$s = IO::Socket::INET->new(LocalAddr => $ARGV[0], LocalPort => $ARGV[1], Listen => 5, ReuseAddr => 1) or die; 1 while $s->accept' "$1" "$2" &
  echo $! >>"$fleet/listeners"
}
for n in server slave; do
  read -r address port <<<"$(sql "select n.address || ' ' || (select min(p) from generate_series(n.port_low, n.port_high) p where not exists (select from instances i where i.node_id = n.id and i.port = p and i.state <> 'deleted')) from nodes n where name = '$n'")"
  listen "$address" "$port"
done
ask_for testapp noport
within 10 sql_is "select count(*) from instances where name = 'noport' and state <> 'deleted' and port > 0" 1
# The other listener is in nobody's way.
if [ "$(sql "select n.name from instances i join nodes n on n.id = i.node_id where i.name = 'noport' and i.state <> 'deleted'")" = server ]; then
  kill "$(sed -n 2p "$fleet/listeners")"
else
  kill "$(sed -n 1p "$fleet/listeners")"
fi
sql "update nodes set memory_mb = 9000000, disk_mb = 90000000 where name in ('server', 'slave')" >/dev/null
"$fairlead" size create main/huge --cpu 100 --memory 4000000 --disk 100 >/dev/null 2>&1 || true
"$fairlead" size create main/wide --cpu 100 --memory 64 --disk 40000000 >/dev/null 2>&1 || true
ask_for testapp nomemory huge
ask_for testapp nodisk wide
"$fairlead" instance create testapp nohealth --size tiny --set crash=1 >/dev/null
ask_for testapp nopage
cat >"$FAIRLEAD_EDGE_DIR/conf.d/zz-page.conf" <<NGINX
server {
  listen $FAIRLEAD_EDGE_ADDRESS:$FAIRLEAD_HTTP_PORT;
  server_name nopage-main-e2e.$FAIRLEAD_ZONE;
  location / { return 200 "Welcome to nginx!"; }
}
NGINX
# Both have their image, or they would fail for want of it.
within 60 sql_is "select count(*) from steps s join instances i on i.id = s.instance_id and i.running = s.generation where i.state <> 'deleted' and s.step = 'stack' and (i.name = 'nohealth' and s.class = 'container_exited' or i.name = 'nopage' and s.state = 'done')" 2 || true
ok "while it is tried again, get says why" bash -c "'$fairlead' instance get nohealth -o json | jq -e '.state == \"new\" and (.problem | test(\"ended by itself\"))'"
kill "$(service_pid registry)"
kill -HUP "$(cat "$FAIRLEAD_NGINX_PID")"
ask_for nopush nopush
minutes() { # until all of them have failed, at most so many
  local n
  for ((n = 1; n <= $1; n++)); do
    [ "$(sql "select count(*) from instances where name in ('noport', 'nomemory', 'nodisk', 'nohealth', 'nopage', 'nopush') and state = 'failed'")" != 6 ] || return 0
    sql "update installation set clock_offset_us = clock_offset_us + 61000000" >/dev/null
    within 8 sql_is "select count(*) from steps s join instances i on i.id = s.instance_id and i.running = s.generation, installation n where i.state = 'new' and s.state = 'open' and s.next_at < clock_timestamp() + n.clock_offset_us * interval '1 microsecond'" 0 || true
  done
  sql "select i.name, i.state, s.step, s.state, s.attempt, s.class from instances i join steps s on s.instance_id = i.id and s.generation = i.running where i.name like 'no%' and i.state not in ('deleted', 'failed')"
  return 1
}
ok "what cannot succeed uses up its budget, and ends" minutes 40
"$root/deploy/dev/stack" up >/dev/null
ok "a port that is taken: failed, and said so" failed_as noport stack port_taken "is taken by something else"
ok "too little memory: failed, and said so" failed_as nomemory stack memory_short "free memory"
ok "too little disk: failed, and said so" failed_as nodisk stack disk_short "free disk"
ok "an app that does not become healthy: failed, and said so" failed_as nohealth stack container_exited "ended by itself"
ok "... with the app's last words" shows_lines nohealth "CRASH=1"
ok "another page under the name: failed, and said so" failed_as nopage verify no_identity "without the header X-Fairlead-Identity"
ok "a registry that is down: failed, and said so" failed_as nopush build push_failed ""
xargs kill <"$fleet/listeners" 2>/dev/null || true
rm -f "$FAIRLEAD_EDGE_DIR/conf.d/zz-page.conf"
kill -HUP "$(cat "$FAIRLEAD_NGINX_PID")"
ok "the port is free again: retry goes on" mended noport
ok "the page is gone: retry goes on" mended nopage
ok "the registry is back: retry goes on" mended nopush
sql "update nodes set memory_mb = 4096, disk_mb = 20000 where name in ('server', 'slave')" >/dev/null
for name in noport nomemory nodisk nohealth nopage nopush; do
  ok "$name leaves nothing" leaves_nothing "$name"
done
leave
"$fairlead" clock accept >/dev/null
finish
