#!/usr/bin/env bash
# nginx 1.22.1 (Debian 12): a sentence of one's own for addresses that are too long.
# guess:     `error_page 414 @long;` answers 414 with what `location @long` returns, as `error_page 404 @lost;` does.
# behaviour: the caller gets 500. A request line that does not fit its buffer never became a URI, and nginx does not go to a
#            named location without one ("empty URI in redirect to named location" in its log). `error_page 414 /long;` with
#            an internal location works.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/packages.sh"
unpack nginx=1.22.1-9+deb12u11
cat >"$work/nginx.conf" <<CONF
daemon off;
pid $work/pid;
error_log $work/error.log;
events {}
http {
  access_log off;
  client_body_temp_path $work/a; proxy_temp_path $work/b; fastcgi_temp_path $work/c; uwsgi_temp_path $work/d; scgi_temp_path $work/e;
  server {
    listen 127.0.0.1:18999;
    error_page 404 @lost;
    error_page 414 @long;
    location / { return 404; }
    location @lost { return 404 "nothing is here\n"; }
    location @long { return 414 "too long an address\n"; }
  }
  server {
    listen 127.0.0.1:18998;
    error_page 414 /long;
    location = /long { internal; return 414 "too long an address\n"; }
  }
}
CONF
"$work/root/usr/sbin/nginx" -e "$work/error.log" -p "$work" -c "$work/nginx.conf" &
started+=($!)
within 10 curl -s http://127.0.0.1:18999/
long=$(head -c 9000 /dev/zero | tr '\0' a)
answer() { curl -s -o "$work/body" -w '%{http_code}' "$1"; }
seen 404 "$(answer http://127.0.0.1:18999/)"
seen 500 "$(answer "http://127.0.0.1:18999/$long")"
seen 1 "$(grep -c 'empty URI in redirect to named location' "$work/error.log")"
seen 414 "$(answer "http://127.0.0.1:18998/$long")"
seen "too long an address" "$(cat "$work/body")"
