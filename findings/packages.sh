#!/usr/bin/env bash
# For the findings (sourced by each): pinned Debian packages, unpacked in a folder of this run that goes with it. Nothing is installed.
set -euo pipefail
work=$(mktemp -d) started=()
cleanup() {
  [ ${#started[@]} = 0 ] || kill "${started[@]}" 2>/dev/null || true
  wait 2>/dev/null || true
  rm -rf "$work"
}
trap cleanup EXIT
unpack() { # PACKAGE=VERSION...
  local deb
  mkdir -p "$work/debs" "$work/root"
  (cd "$work/debs" && apt-get download -qq "$@" 2>/dev/null) || { echo "not to be had any more: $*"; exit 1; }
  for deb in "$work"/debs/*.deb; do dpkg-deb -x "$deb" "$work/root"; done
  LD_LIBRARY_PATH=$(echo "$work"/root/usr/lib/*-linux-gnu)
  export LD_LIBRARY_PATH
}
within() { # SECONDS COMMAND...: until it succeeds
  local end=$((SECONDS + $1))
  shift
  until "$@" >/dev/null 2>&1; do
    [ $SECONDS -lt $end ] || { echo "never came: $*"; exit 1; }
    read -r -t 0.1 <> <(:) || true
  done
}
# What was seen when this was written, and what is seen now.
seen() { # EXPECTED GOT
  [ "$1" = "$2" ] && { echo "as found: $1"; return; }
  printf 'this has changed\nwas: %s\nnow: %s\n' "$1" "$2"
  exit 1
}
