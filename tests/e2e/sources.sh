#!/usr/bin/env bash
# F1: which code a release is. Its sources are pinned when it is registered; what follows a branch says so. The context and
# the Dockerfile may lie anywhere in the repository. What builders need to reach the outside is given to builds.
# shellcheck source=../support/e2e.sh
. "$(dirname "${BASH_SOURCE[0]}")/../support/e2e.sh"
tag=$(($(date +%s) % 100000))
app=src$tag
work=$fleet/sources/$app
fork=$fleet/forks/$app
git=(git -c safe.directory='*' -c user.name=a -c user.email=a@b)
commit() { "${git[@]}" -C "$fork" add -A && "${git[@]}" -C "$fork" commit -q -m "$1" && head_is >"$fleet/test.head"; }
head_is() { "${git[@]}" -C "$fork" rev-parse HEAD; }
# release VERSION [SED...]: the folder of the app, changed, under that version
release() {
  local version=$1
  shift
  mkdir -p "$work" && cp "$root"/tests/e2e/testapp/{compose.yaml,app.yaml} "$work/"
  sed -i -e "s/repository: testapp/repository: $app/; s/ follow: true,//; s/^version: .*/version: \"$version\"/" "$@" "$work/app.yaml"
}
pinned() { "$fairlead" app sources "$app/$1" -o json | jq -r '.[0].commit'; }
commits() { "$fairlead" instance get "$1" -o json | jq -r '.commits | map(.) | unique | join(" ")'; }
create() { "$fairlead" instance create "$app" "$1" --size tiny --wait --timeout 120 "${@:2}"; }
gone() { "$fairlead" instance delete "$1" --purge --wait --timeout 120; }
eq() { [ "$1" = "$2" ] || { echo "\"$1\" is not \"$2\""; return 1; }; }

rm -rf "$fork" && mkdir -p "$fork" && "${git[@]}" init -q -b main "$fork"
cp -a "$root/tests/e2e/testapp/image/." "$fork/" && commit one
first=$(head_is)
release 1
ok "a release is registered, and its sources are pinned" "$fairlead" app register "$work" --wait --timeout 60
ok "... to the commit that its branch was at" eq "$(pinned 1)" "$first"
echo "# moved on" >>"$fork/web/Dockerfile" && commit two
second=$(head_is)
ok "an instance that is made after the branch moved on" create "a$tag"
ok "... runs the commit of its release, and shows it" eq "$(commits "a$tag")" "$first"
release 2 -e "s/ref: main/ref: main, follow: true/"
ok "a release that follows its branch" "$fairlead" app register "$work"
ok "... has no commit of its own" eq "$("$fairlead" app sources "$app/2" -o json | jq -r '.[0].state')" follows
ok "its instances run what the branch is at when they are made" create "b$tag" --version 2
ok "... and show it" eq "$(commits "b$tag")" "$second"
echo "# and on" >>"$fork/web/Dockerfile" && commit three
ok "another one of the same release" create "c$tag" --version 2
ok "... may differ, and says so" eq "$(commits "c$tag")" "$(head_is)"

mkdir -p "$fork/docker" && git -C "$fork" mv -f web/Dockerfile docker/web.Dockerfile
sed -i 's#^COPY entry health#COPY web/entry web/health#' "$fork/docker/web.Dockerfile"
commit four
release 3 -e "s#path: web#path: ., dockerfile: docker/web.Dockerfile#"
ok "the whole repository as context, the Dockerfile elsewhere in it" "$fairlead" app register "$work" --wait --timeout 60
ok "... is built and runs" create "d$tag" --version 3
later() { # asked while it is being made
  "$fairlead" instance create "$app" "e$tag" --version 3 --size tiny >/dev/null && "$fairlead" instance extend "e$tag" --days 1 | grep 'its end moves when what is under way has ended'
}
ok "an end that moves later is told as such" later
printf 'RUN echo "it broke at line 7" >&2 && exit 3\n' >>"$fork/docker/web.Dockerfile" && commit broken
release 6 -e "s#path: web#path: ., dockerfile: docker/web.Dockerfile#"
"$fairlead" app register "$work" --wait --timeout 60 >/dev/null
"$fairlead" instance create "$app" "f$tag" --version 6 --size tiny >/dev/null
ok "a build that fails" within 60 state_is "f$tag" failed
broke() { "$fairlead" instance get "f$tag" -o json | jq -e '.problem | test("ended with 3: it broke at line 7$")'; }
ok "... gives its own last words as the reason" broke
escapes() { "$fairlead" instance steps "f$tag" -o json | grep -c '\\u001b'; }
ok "... and nothing that only a terminal understands" eq "$(escapes)" 0
release 4 -e "s#path: web#path: nowhere#"
ok "a folder that is not there is told before anybody asks for an instance" \
  bash -c "'$fairlead' app register '$work' --wait --timeout 60 2>&1 | grep 'there is no \"nowhere\" in it'"
release 5 -e "s#ref: main#ref: nobranch#"
ok "... and so is a branch" bash -c "'$fairlead' app register '$work' --wait --timeout 60 2>&1 | grep 'no branch, tag or commit \"nobranch\"'"
ok "app check knows whose file a secret is" bash -c "sed 's/uid: [0-9]*/uid: 999/' '$work/app.yaml' >'$work/app.new' && mv '$work/app.new' '$work/app.yaml'; '$fairlead' app check '$work' 2>&1 | grep 'could not read a file of uid 999'"
for name in a b c d e f; do gone "$name$tag" >/dev/null 2>&1 || true; done
ok "the instances are gone again" sql_is "select count(*) from instances where name in ('a$tag', 'b$tag', 'c$tag', 'd$tag', 'e$tag', 'f$tag') and state <> 'deleted'" 0

# What nothing runs leaves the registry, and what somebody asks for again is built again.
image=$(sql "select image from images where image like 'fairlead/$app-%' order by built_at desc limit 1")
in_registry() { curl -sf -m 5 -o /dev/null -I -H 'Accept: application/vnd.docker.distribution.manifest.v2+json' "http://$FAIRLEAD_REGISTRY/v2/${image%@*}/manifests/${image#*@}"; }
prune() { "$fairlead" registry prune --days 0 "$@"; }
ok "an image that nothing runs is named" has "$(prune --dry-run)" "$image"
ok "... and looking takes nothing away" in_registry
ok "nothing is named that was used a while ago" lacks "$("$fairlead" registry prune --days 1 --dry-run)" "$image"
ok "it is taken out of the registry" prune
ok "... which has it no more" bash -c "$(declare -f in_registry); image='$image'; ! in_registry"
ok "... nor has the coordinator" sql_is "select count(*) from images where image = '$image'" 0
ok "what an instance runs stays" sql_is "select count(*) from instances i, jsonb_each_text(i.images) v left join images m on m.image = v.value where not i.gone and m.image is null" 0
ok "asked for again it is built again" create "e$tag" --version 3
gone "e$tag" >/dev/null
finish
