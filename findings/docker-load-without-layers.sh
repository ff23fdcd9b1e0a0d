#!/usr/bin/env bash
# docker.io 20.10.24 (Debian 12): `docker load` of an archive that lacks the file of a layer.
# guess:     an archive is whole or is refused: the file of each layer that its manifest.json lists is opened.
# behaviour: the file of a layer is opened only if the Engine does not have that layer (by the digests of its configuration, from the
#            lowest up); what it has may be left out. So an update of an image can be carried as the layers that are new. Where a
#            layer is lacking that the Engine has not, the load fails, and names the file.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/packages.sh"
unpack docker.io=20.10.24+dfsg1-1+deb12u1+b6 containerd=1.6.20~ds1-1+deb12u3 runc=1.1.5+ds1-1+deb12u1
PATH=$work/root/usr/bin:$work/root/usr/sbin:$PATH
export DOCKER_HOST=unix://$work/socket
dockerd --host "$DOCKER_HOST" --data-root "$work/data" --exec-root "$work/exec" --pidfile "$work/pid" --storage-driver vfs --bridge none \
  --iptables=false --ip-forward=false --ip-masq=false >"$work/log" 2>&1 &
started+=($!)
within 30 docker version
sum() { sha256sum "$1" | cut -d' ' -f1; }
for n in 1 2; do
  mkdir "$work/$n" && echo "$n" >"$work/$n/file$n"
  tar -C "$work/$n" --owner 0 --group 0 -cf "$work/layer$n.tar" "file$n"
done
# archive NAME LAYERS FILES: an image of the first LAYERS layers, in an archive with the files of those that are named.
archive() {
  local dir=$work/$1 ids files n
  mkdir "$dir"
  for ((n = 1; n <= $2; n++)); do ids+=",\"sha256:$(sum "$work/layer$n.tar")\"" files+=",\"layer$n.tar\""; done
  echo "{\"architecture\":\"amd64\",\"os\":\"linux\",\"config\":{},\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[${ids#,}]}}" >"$dir/config.json"
  echo "[{\"Config\":\"config.json\",\"RepoTags\":[\"$1:x\"],\"Layers\":[${files#,}]}]" >"$dir/manifest.json"
  for n in $3; do cp "$work/layer$n.tar" "$dir/"; done
  tar -C "$dir" -cf "$work/$1.tar" .
}
load() { docker load -q -i "$work/$1.tar" 2>&1 | grep -oE 'Loaded image|no such file' || true; }
archive base 1 1
archive update 2 2
seen 'no such file' "$(load update)"
seen 'Loaded image' "$(load base)"
seen 'Loaded image' "$(load update)"
docker create --name one update:x /none >/dev/null
seen 'file1 file2' "$(docker export one | tar -t | grep '^file' | sort | xargs)"
