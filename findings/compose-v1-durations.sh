#!/usr/bin/env bash
# docker-compose 1.29.2 (Debian 12): durations of a healthcheck and of stop_grace_period.
# guess:     a text that is no duration for it ("90", "1d") is refused by `docker-compose config -q`, as numbers and unknown keys
#            are.
# behaviour: it is taken without a word and becomes None: the Engine tests with its own interval and timeout (30 s each), and
#            KILL follows TERM after 10 s.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/packages.sh"
unpack docker-compose=1.29.2-3 python3-docker=5.0.3-1 python3-dockerpty=0.4.1-4 python3-docopt=0.6.2-4.1 python3-dotenv=0.21.0-1 \
  python3-jsonschema=4.10.3-1 python3-texttable=1.6.7-1 python3-websocket=1.2.3-1 python3-yaml=6.0-3+b2 python3-distro=1.8.0-1 \
  python3-requests=2.28.1+dfsg-1 python3-six=1.16.0-4 python3-pyrsistent=0.18.1-1+b3 python3-attr=22.2.0-1 \
  python3-urllib3=1.26.12-1+deb12u4 python3-chardet=5.1.0+dfsg-2 python3-idna=3.3-1+deb12u1 python3-certifi=2022.9.24-1 \
  python3-cached-property=1.5.2-1 python3-distutils=3.11.2-3 python3-lib2to3=3.11.2-3
export PYTHONPATH=$work/root/usr/lib/python3/dist-packages
cd "$work"
file() { # GRACE INTERVAL
  printf 'version: "3.8"\nservices:\n  app:\n    image: app\n    stop_grace_period: "%s"\n    healthcheck: {test: [CMD, "true"], interval: "%s"}\n' "$1" "$2" >docker-compose.yml
}
meaning() {
  "$work/root/usr/bin/docker-compose" config -q >/dev/null 2>&1 && printf 'accepted: ' || printf 'refused: '
  python3 - <<'PY'
from compose.config import config
from compose.config.environment import Environment
from compose.service import Service
app = config.load(config.find(".", ["docker-compose.yml"], Environment())).services[0]
print("interval", app["healthcheck"].get("interval"), "KILL after",
      Service("app", stop_grace_period=app.get("stop_grace_period")).stop_timeout(None))
PY
}
file 40s 90s
seen "accepted: interval 90000000000 KILL after 40" "$(meaning)"
file 40 90
seen "accepted: interval None KILL after 10" "$(meaning)"
file 1d 1d
seen "accepted: interval None KILL after 10" "$(meaning)"
