#!/usr/bin/env bash
# Bad inputs: templates (compose.yaml) and catalogue entries (app.yaml). Refused by whoever looks first, and nothing of them
# reaches a machine (P20, P21).
# shellcheck source=../support/e2e.sh
. "$(dirname "${BASH_SOURCE[0]}")/../support/e2e.sh"
dir=$fleet/templates/testapp
good() { rm -rf "$dir" && mkdir -p "$dir" && cp "$root"/tests/e2e/testapp/{app,compose}.yaml "$dir/"; }
refuses() { # WORDS: the check fails with exit 1 and one sentence that says where
  "$fairlead" app check "$dir" >"$fleet/check.out" 2>&1 && { echo "it was accepted"; return 1; }
  has "$(cat "$fleet/check.out")" "$1" && [ "$(wc -l <"$fleet/check.out")" = 1 ] && ! "$fairlead" app register "$dir" >/dev/null 2>&1
}
# Every other key of the Compose schema, one by one, in the service.
keys='privileged: true|network_mode: host|pid: host|ipc: host|uts: host|userns_mode: host|cgroup: host|cgroup_parent: /|cap_add: [SYS_ADMIN]|cap_drop: []
devices: ["/dev/kmsg"]|device_cgroup_rules: ["c 1:3 mr"]|security_opt: ["seccomp:unconfined"]|sysctls: {net.core.somaxconn: "1"}|ulimits: {nproc: "1"}
ports: ["80:80"]|expose: ["80"]|networks: [default]|links: [a]|external_links: [a]|extra_hosts: ["a:1.2.3.4"]|dns: ["1.2.3.4"]|dns_search: [a]|dns_opt: [a]
volumes_from: [web]|build: "."|image: evil|container_name: x|hostname: x|domainname: x|mac_address: x|labels: {a: b}|logging: {driver: syslog}|restart: always
deploy: {replicas: "2"}|env_file: /etc/shadow|secrets: [a]|configs: [a]|entrypoint: sh|working_dir: /|init: "true"|tty: "true"|stdin_open: "true"|runtime: runc
group_add: ["0"]|shm_size: 1g|mem_limit: 9g|memswap_limit: 9g|cpus: "9"|pids_limit: "9"|oom_kill_disable: "true"|oom_score_adj: "-1000"|stop_signal: SIGKILL
storage_opt: {size: 1g}|isolation: x|platform: x|profiles: [a]|extends: {service: web}|pull_policy: always|scale: "2"|blkio_config: {weight: "1"}|x-anything: a|credential_spec: {file: a}|cpuset: "0"'
while IFS= read -r key; do
  good
  sed -i "s|^    user: .*|&\n    $key|" "$dir/compose.yaml"
  ok "the key ${key%%:*}" refuses "is not allowed here"
done < <(tr '|' '\n' <<<"$keys")
for key in 'version: "3"' 'volumes: {a: {}}' 'networks: {a: {}}' 'secrets: {a: {}}' 'configs: {a: {}}' 'name: x' 'include: [a]' 'x-a: b'; do
  good
  printf '%s\n' "$key" >>"$dir/compose.yaml"
  ok "the top-level key ${key%%:*}" refuses "is not allowed here"
done
# volumes and users
# shellcheck disable=SC2088
for volume in /etc:/etc ./a:/b ../a:/b '~/a:/b' 'a:b' 'a' ':/b' 'a:' 'a:/b:ro' 'a:/b:rshared' 'A:/b' '/var/run/docker.sock:/s' '${HOME}:/b' 'a b:/c'; do
  good
  sed -i "s|^    volumes: .*|    volumes: ['$volume']|" "$dir/compose.yaml"
  ok "the volume $volume" refuses "volume"
done
for user in root 0 '"0"' '-1' '"1000:0"' '"65536"' '""' '"0x1"' '"1 "'; do
  good
  sed -i "s|^    user: .*|    user: $user|" "$dir/compose.yaml"
  ok "the user $user" refuses "compose.yaml"
done
# durations, and the order of start: one meaning in every Compose, or none
for duration in 90 1d '2 m' 1.5s -5s 1s1m 90sec '' 61m 10w; do
  for key in interval timeout start_period; do
    good
    sed -i "s|^      $key: .*|      $key: \"$duration\"|" "$dir/compose.yaml"
    ok "$key: \"$duration\"" refuses "$key must be a number with h, m, s or ms"
  done
  good
  sed -i "s|^    stop_grace_period: .*|    stop_grace_period: \"$duration\"|" "$dir/compose.yaml"
  ok "stop_grace_period: \"$duration\"" refuses "stop_grace_period must be"
done
for order in '{web: {condition: service_completed_successfully}}' '{web: {condition: service_healthy}}' web '[nobody]' '[web]' '[[web]]'; do
  good
  sed -i "s|^    user: .*|&\n    depends_on: $order|" "$dir/compose.yaml"
  ok "depends_on: $order" refuses "depends_on"
done
good
sed -i 's|^      interval: .*|&\n      disable: "true"|' "$dir/compose.yaml"
ok "a health check that is switched off" refuses "is not allowed here"
# YAML itself
yaml() { # NAME WORDS TEXT: instead of the whole template
  good
  printf '%b' "$3" >"$dir/compose.yaml"
  ok "$1" refuses "$2"
}
yaml "an anchor" "anchors" 'services: &a {}\n'
yaml "an alias" "" 'a: &x {b: c}\nservices: *x\n'
yaml "billion laughs" "" "a: &a [x,x]\nb: &b [*a,*a]\nc: &c [*b,*b]\nservices: *c\n"
yaml "a merge key" "" 'services:\n  <<: {a: b}\n'
yaml "a key that stands twice" "twice" 'services: {}\nservices: {}\n'
yaml "a tag" "" 'services: !!python/object:os.system {}\n'
yaml "a tab" "" 'services:\n\tweb: {}\n'
yaml "two documents" "" 'services: {}\n---\nservices: {}\n'
yaml "nothing" "" ''
yaml "a NUL" "" 'services: "a\x00b"\n'
yaml "bytes that are not UTF-8" "" 'services: "\xff"\n'
yaml "a list" "" '- services\n'
yaml "nesting of 200" "" "services: $(printf '[%.0s' {1..200})$(printf ']%.0s' {1..200})\n"
yaml "10,000 services" "" "services:\n$(for i in $(seq 10000); do printf '  s%d: {}\\n' "$i"; done)"
yaml "no services" "services" 'services: {}\n'
good
head -c 400000 /dev/zero | tr '\0' '#' >"$dir/compose.yaml"
ok "400 KB" refuses "larger"
# values
for value in '{{secret}}' '{{inputs.nothing}}' '{{ env.PATH }}' '{{}}' '{{inputs.}}'; do
  good
  sed -i "s|TITLE: .*|TITLE: \"$value\"|" "$dir/compose.yaml"
  ok "the value $value" refuses "is no value of this app"
done
good
sed -i 's|TITLE: .*|TITLE: "{{identity"|' "$dir/compose.yaml"
ok "the value {{identity is text" "$fairlead" app check "$dir"
# app.yaml
app() { # NAME WORDS SED-EXPRESSION
  good
  sed -i "$3" "$dir/app.yaml"
  ok "$1" refuses "$2"
}
app "no title" "title" '/^title/d'
app "no health contract" "health" '/^health/,$d'
app "an unknown key" "" '$a nonsense: true'
app "no path that proves the data store" "identity" 's/, identity: true//'
app "a service without an image" "" 's/image: web, //'
app "an image that is not there" "" 's/image: web/image: nothing/'
app "a capability that is never granted" "" 's/cpu_share: 100}/cpu_share: 100, caps: [SYS_ADMIN]}/'
app "shares beyond the whole" "" 's/memory_share: 100/memory_share: 900/'
app "a health port of 0" "" 's/port: 8080/port: 0/'
app "a health port of 70000" "" 's/port: 8080/port: 70000/'
app "a secret read by root" "" 's/uid: 10901/uid: 0/'
app "a secret without readers of this app" "" 's/service: web, uid/service: nobody, uid/'
for repository in 'ext::sh -c id' 'file:///etc' 'ssh://a/b' 'git://a/b' 'ftp://a/b' 'http://a/b' '-oProxyCommand=id' '--upload-pack=id' '../etc' '/etc' 'https://u:p@h/x' 'a\\nb' 'unix:/run' 'HTTPS://a/b' 'a b' ''; do
  app "the source \"$repository\"" "" "s|repository: testapp|repository: \"$repository\"|"
done
for ref in -x '@{1}' 'a..b' 'a b' '--upload-pack=id' 'a\\nb' 'a:b' 'a~1' 'a^' 'a*' "$(head -c 10000 /dev/zero | tr '\0' a)" ''; do
  app "the ref \"${ref:0:20}\"" "" "s|ref: main|ref: \"$ref\"|"
done
for path in / /etc ../.. a/../b -x '' 'a//b' 'a b' '.git'; do
  [ "$path" = .git ] || app "the path \"$path\"" "" "s|path: web|path: \"$path\"|"
done
finish
