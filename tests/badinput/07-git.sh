#!/usr/bin/env bash
# Bad inputs: git. Repositories that try to reach the builder, or that cannot be built: the walk parks with a reason, and
# nothing outside the build's own folder is read or written.
# shellcheck source=../support/e2e.sh
. "$(dirname "${BASH_SOURCE[0]}")/../support/e2e.sh"
tag=$(($(date +%s) % 100000))
n=0
hostile() { # CLASS FUNCTION: a repository made by the function, in its work tree
  local name=h$tag-$n tree=$fleet/hostile/work
  n=$((n + 1))
  rm -rf "$fleet/hostile" "$fleet/forks/$name" && mkdir -p "$tree/web"
  cp "$root"/tests/e2e/testapp/image/web/* "$tree/web/"
  (cd "$tree" && git init -q -b main . && git config user.email a@b && git config user.name a && "$2" && git add -A && git commit -q -m x) >/dev/null 2>&1
  git clone -q --bare "$tree" "$fleet/forks/$name" 2>/dev/null
  mkdir -p "$fleet/hostile/$name" && cp "$root/tests/e2e/testapp/compose.yaml" "$fleet/hostile/$name/"
  sed "s/repository: testapp/repository: $name/" "$root/tests/e2e/testapp/app.yaml" >"$fleet/hostile/$name/app.yaml"
  "$fairlead" app register "$fleet/hostile/$name" >/dev/null && "$fairlead" instance create "$name" "$name" --size tiny >/dev/null || return 1
  within 90 bash -c ". '$root/tests/support/e2e.sh'; state_is $name failed || state_is $name running" || return 1
  local class
  class=$(sql "select coalesce(string_agg(class, ','), 'none') from stuck_v1 where instance = '$name'")
  "$fairlead" instance delete "$name" --purge >/dev/null
  [[ $class =~ $1 ]] || { echo "class $class"; return 1; }
}
no_dockerfile() { rm web/Dockerfile; }
link_out() { rm web/Dockerfile && ln -s /etc/passwd web/Dockerfile; }
link_folder() { rm -rf web && ln -s /etc web; }
copies_out() { ln -s /etc/shadow web/secret && printf 'ARG BASE\nFROM ${BASE}\nCOPY secret /s\nRUN test ! -s /s || (cat /s; false)\n' >web/Dockerfile; }
submodule() { mkdir web/x && printf '[submodule "x"]\n\tpath = web/x\n\turl = file:///etc\n' >.gitmodules && git update-index --add --cacheinfo 160000,"$(printf '1%.0s' {1..40})",web/x; }
lfs_pointer() { printf 'version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n' >web/logo.png; }
left_out() { printf 'notes export-ignore\n' >web/.gitattributes && echo kept >web/notes && sed -i 's/^USER/COPY notes \/notes\nUSER/' web/Dockerfile; }
attributes() { printf '* filter=evil\n' >.gitattributes && git config filter.evil.clean cat; }
hooks() { mkdir -p hooks && printf '#!/bin/sh\ntouch %s\n' "$fleet/hostile.ran" >hooks/post-checkout && chmod +x hooks/post-checkout; }
odd_names() { touch "web/a
b" 'web/--help' 'web/ ' 2>/dev/null || true; }
case_clash() { echo a >web/File && echo b >web/file; }
many_files() { for i in $(seq 2000); do echo "$i" >"web/f$i"; done; }
not_docker() { head -c 100000 /dev/urandom >web/Dockerfile; }
asks_network() { sed -i "s#^USER#RUN ! bash -c 'exec 3<>/dev/tcp/127.0.0.1/${FAIRLEAD_SERVER##*:}'\nUSER#" web/Dockerfile; }
rm -f "$fleet/hostile.ran"
ok "no Dockerfile" hostile dockerfile_missing no_dockerfile
ok "a Dockerfile that is a link to the builder's files" hostile build_failed link_out
ok "a folder that is a link" hostile 'missing|bad_source|build_failed' link_folder
ok "a link to a file of the builder in the context is a link to nowhere in the build" hostile 'build_failed|none' copies_out
ok "a submodule is refused, not left out" hostile source_not_whole submodule
ok "a pointer of Git LFS, too" hostile source_not_whole lfs_pointer
ok "a folder that attributes would leave out is there" hostile none left_out
ok "filters of its attributes do not run" hostile none attributes
ok "hooks do not run" hostile none hooks
ok "... none did" test ! -e "$fleet/hostile.ran"
ok "names with line ends and hyphens" hostile none odd_names
ok "names that differ in case only" hostile none case_clash
ok "2,000 files" hostile none many_files
ok "a Dockerfile of noise" hostile build_failed not_docker
ok "what listens on the builder's loopback is not a build's" hostile none asks_network
rm -rf "$fleet"/forks/h"$tag"-*
ok "the builder goes on" bash -c "'$fairlead' app register '$root/tests/e2e/testapp' >/dev/null; '$fairlead' instance create testapp 'g$tag' --size tiny --wait --timeout 90 && '$fairlead' instance delete 'g$tag' --purge --wait --timeout 60"
finish
