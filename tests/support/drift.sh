# Whatever somebody else may change under an instance, each by the instance's name. Sourced; needs sql, engine and $fairlead.
# shellcheck shell=bash disable=SC2154
# shellcheck source=instances.sh
. "$root/tests/support/instances.sh"
nft_table() { echo "fairlead_$(sql "select substr(replace(id::text, '-', ''), 19, 8) from nodes where name = '$(node "$1")'")"; }
update() { # LINE...: by the key that the workers use
  { printf 'server %s %s\nzone %s\n' "${FAIRLEAD_DNS%:*}" "${FAIRLEAD_DNS#*:}" "$FAIRLEAD_ZONE"; printf '%s\n' "$@" send quit; } |
    knsupdate -k "$FAIRLEAD_DNS_KEY_FILE"
}

removed() { engine rm -f "$(container "$1")"; }
stopped() { engine stop -t 1 "$(container "$1")"; }
paused() { engine pause "$(container "$1")"; }
limited() { engine update --memory 96m --memory-swap 96m "$(container "$1")"; }
edit_compose() { echo '# a hand was here' >>"$fleet/$(node "$1")/stacks/$(hex "$1")/compose.yaml"; }
drop_secret() { rm -f "$fleet/secrets-$(node "$1")/$(hex "$1")/web/token"; }
# A container of nobody: one of another app would be put right by its own step, whichever comes first.
join_stranger() { engine run -d --rm --name "stranger-of-$1" --network "$(network "$1")" --entrypoint tail "$(engine inspect "$(container "$1")" --format '{{.Config.Image}}')" -f /dev/null; }
retag() { engine rmi -f "$(engine inspect "$(container "$1")" --format '{{.Config.Image}}')"; }
drop_route() { rm -f "$FAIRLEAD_EDGE_DIR/map.d/$(host "$1").map"; }
edit_route() { sed -i 's/:[0-9]*;/:9;/' "$FAIRLEAD_EDGE_DIR/map.d/$(host "$1").map"; }
edit_server() { sed -i 's/^    server_name _;/    server_name nobody.test;/' "$FAIRLEAD_EDGE_DIR/conf.d/fairlead.conf"; }
open_guard() { nft delete element ip "$(nft_table "$1")" ports "{ $(sql "select address from nodes where name = '$(node "$1")'") . $("$fairlead" instance get "$1" -o json | jq -r .port) }"; nft flush chain ip "$(nft_table "$1")" out; }
drop_address() { update "del $(host "$1"). A"; }
change_address() { update "del $(host "$1"). A" "add $(host "$1"). 5 A 127.0.0.99"; }
drop_marker() { update "del $(host "$1"). TXT"; }
stop_nginx() { kill -QUIT "$(cat "$FAIRLEAD_NGINX_PID")"; }
hang() { engine exec "$(container "$1")" rm /store/value; }
