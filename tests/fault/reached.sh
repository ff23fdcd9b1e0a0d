#!/usr/bin/env bash
# The last of the end-to-end scripts: between them they have passed every listed fault point, and every side effect has one.
# shellcheck source=../support/e2e.sh
. "$(dirname "${BASH_SOURCE[0]}")/../support/e2e.sh"
points=$(sed -n 's/^FAULT_POINT([A-Z_]*, "\([a-z.]*\)".*/\1/p' "$root/lib/base/fault_points.def" | sort)
ok "every one of $(wc -l <<<"$points") fault points was reached" test -z "$(comm -23 <(echo "$points") <(sort -u "$FAIRLEAD_FAULT_LOG"))"
# A file that changes a machine, a registry, DNS or a repository has fault points around what it does.
effects=$(cd "$root" && git ls-files 'lib/step/*.c' 'lib/node/*.c' 'worker/*.c' 'coordinator/*.c' 'coordinator/api/*.c' |
  xargs grep -lE '\b(file_write|file_remove|file_remove_tree|compose_up|compose_down|engine_pull|dns_change|git_push|git_fetch|kprod_flush|ratchet_write|build_engine)\(')
for file in $effects; do
  case $file in
  # What they write is read back and made again: the folder is rebuilt, the hash is taken anew, the keys are made once, a
  # base is named by what is in it, which id a digest has is asked again,
  # what is spooled is said again at the next start.
  lib/node/ratchet.c | lib/node/spool.c | lib/node/secrets.c | lib/step/stack_drift.c | lib/node/reporter.c | coordinator/main.c | worker/build_args.c | lib/step/image.c) continue ;;
  coordinator/authority.c) continue ;; # by hand: what is missing is made by the next call
  worker/build_engine.c) continue ;;   # how the Engine is asked; who asks has the points
  lib/step/stack_file.c) continue ;; # stack.c has the points around the file
  esac
  ok "$file has a fault point at its side effects" grep -qE 'fault_(reach|check)' "$root/$file"
done
finish
