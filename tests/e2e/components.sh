#!/usr/bin/env bash
# The component tests: lib/io and the judgements of lib/step by themselves, under sanitizers, against the real services.
# shellcheck source=../support/e2e.sh
. "$(dirname "${BASH_SOURCE[0]}")/../support/e2e.sh"
shopt -s globstar nullglob
for source in "$root"/tests/component/**/*.c; do
  name=${source#"$root/tests/component/"}
  program=$root/build/gcc-address-undefined/tests/component/${name%.c}
  if timeout 180 "$program" >"$fleet/component.out" 2>&1; then
    n=$(sed -n 's/.*PASSED.* \([0-9]*\) test.*/\1/p' "$fleet/component.out")
    passed=$((passed + n))
    echo "ok   ${name%.c}: $n"
  else
    failed=$((failed + 1))
    echo "FAIL ${name%.c}"
    grep -vE '^\[ (RUN|      OK)' "$fleet/component.out" | tail -n 15 | sed 's/^/     /'
  fi
done
finish
