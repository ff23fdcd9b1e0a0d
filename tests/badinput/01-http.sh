#!/usr/bin/env bash
# Bad inputs: HTTP.
# shellcheck source=../support/e2e.sh
. "$(dirname "${BASH_SOURCE[0]}")/../support/e2e.sh"
# shellcheck source=common.sh
. "$root/tests/badinput/common.sh"
auth="Authorization: Bearer $token\r\nHost: x\r\n"
no='^(HTTP/1.1 4|closed)'
# lengths and encodings
ok "no length on a POST with a body that follows" raw_is "$no" "POST /v1/plans HTTP/1.1\r\n$auth\r\n{}"
ok "a length that is no number" raw_is "$no" "POST /v1/plans HTTP/1.1\r\n${auth}Content-Length: two\r\n\r\n{}"
ok "a negative length" raw_is "$no" "POST /v1/plans HTTP/1.1\r\n${auth}Content-Length: -2\r\n\r\n{}"
ok "a length beyond every number" raw_is "$no" "POST /v1/plans HTTP/1.1\r\n${auth}Content-Length: 99999999999999999999\r\n\r\n{}"
ok "two lengths that differ" raw_is "$no" "POST /v1/plans HTTP/1.1\r\n${auth}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}"
ok "two lengths that agree" raw_is "$no" "POST /v1/plans HTTP/1.1\r\n${auth}Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}"
ok "a length and chunks" raw_is "$no" "POST /v1/plans HTTP/1.1\r\n${auth}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"
ok "chunks" raw_is "$no" "POST /v1/plans HTTP/1.1\r\n${auth}Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"
ok "an encoding that nobody knows" raw_is "$no" "POST /v1/plans HTTP/1.1\r\n${auth}Transfer-Encoding: gzip\r\n\r\nx"
ok "a body that is shorter than its length" raw_is '^(HTTP/1.1 4|closed|silent)' "POST /v1/plans HTTP/1.1\r\n${auth}Content-Length: 200\r\n\r\n{}"
# the request line and headers
ok "no HTTP at all" raw_is '^(HTTP/1.1 4|closed|silent)' "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"
ok "an empty line" raw_is '^(HTTP/1.1 4|closed|silent)' "\r\n\r\n"
ok "a version of the future" raw_is '^(HTTP/1.1 [45]|closed)' "GET /healthz HTTP/9.9\r\nHost: x\r\n\r\n"
ok "no host" raw_is "$no" "GET /v1/plans HTTP/1.1\r\n\r\n"
ok "a header without a colon" raw_is "$no" "GET /v1/plans HTTP/1.1\r\nHost: x\r\nnonsense\r\n\r\n"
ok "a header with a NUL" raw_is "$no" "GET /v1/plans HTTP/1.1\r\nHost: x\r\nX: a\\\\0b\r\n\r\n"
ok "a header of 40 KB" raw_is "$no" "GET /v1/plans HTTP/1.1\r\nHost: x\r\nX: $(head -c 40000 /dev/zero | tr '\0' a)\r\n\r\n"
ok "3,000 headers" raw_is "$no" "GET /v1/plans HTTP/1.1\r\nHost: x\r\n$(for i in $(seq 3000); do printf 'X-%d: y\\r\\n' "$i"; done)\r\n"
ok "a path of 64 KB" raw_is "$no" "GET /$(head -c 65000 /dev/zero | tr '\0' a) HTTP/1.1\r\n$auth\r\n"
# paths
for path in /v1/plans/.. /v1/plans/../plans /v1/plans/%2e%2e/plans //v1/plans /v1//plans /v1/plans/%zz '/v1/plans/a%20b' '/v1/plans/*'; do
  ok "the path $path" refused 404 GET "$path" --path-as-is
done
for path in /v1/plans/%0a /v1/plans/%c0%ae /v1/plans/%ff '/v1/instances?state=%ff' '/v1/instances?name=a%00b' '/v1/plans?after=%c0%ae' '/v1/instances?%ff=1'; do
  ok "the address $path" refused 400 GET "$path" --path-as-is
done
ok "a path that a NUL ends" raw_is "$no" "GET /v1/plans/%00x HTTP/1.1\r\n$auth\r\n"
ok "a path of another case" refused 404 GET /V1/PLANS
# methods
for method in TRACE CONNECT PATCH PUT OPTIONS PROPFIND; do
  ok "$method is not for plans" raw_is '^(HTTP/1.1 4|HTTP/1.1 501|closed)' "$method /v1/plans HTTP/1.1\r\n$auth\r\n"
done
ok "a method of 1,000 letters" raw_is "$no" "$(head -c 1000 /dev/zero | tr '\0' A) /v1/plans HTTP/1.1\r\n$auth\r\n"
ok "a method override counts for nothing" refused 404 POST /v1/nothing -H 'X-HTTP-Method-Override: DELETE' -d '{}'
ok "HEAD tells no more than GET" test "$(curl -s -m 5 -I -o /dev/null -w '%{http_code}' "$FAIRLEAD_SERVER/v1/plans")" -ge 400
# content
ok "another content type" refused 400 POST /v1/customers -H 'Content-Type: text/xml' -d '<a/>'
ok "a form" refused 400 POST /v1/customers -H 'Content-Type: application/x-www-form-urlencoded' -d 'name=a'
ok "gzip that nobody asked for" refused 400 POST /v1/customers -H 'Content-Encoding: gzip' --data-binary "@$(echo '{}' | gzip >"$fleet/z" && echo "$fleet/z")"
ok "a body over the limit" refused 413 POST /v1/customers --data-binary "@$(head -c 300000 /dev/zero | tr '\0' x >"$fleet/large" && echo "$fleet/large")"
ok "a BOM before the JSON" refused 400 POST /v1/customers --data-binary $'\xef\xbb\xbf{"name":"x","plan":"trial"}'
ok "bytes that are not UTF-8" refused 400 POST /v1/customers --data-binary $'{"name":"x\xff","plan":"trial"}'
ok "overlong UTF-8" refused 400 POST /v1/customers --data-binary $'{"name":"\xc0\xafx","plan":"trial"}'
ok "a name with zero-width and bidi marks" refused 422 POST /v1/customers -d '{"name":"a\u202eb\u200b","plan":"trial"}'
# keys, tokens, queries
ok "an empty Idempotency-Key" refused 400 POST /v1/instances -H 'Idempotency-Key;' -d "$(noop x)"
ok "an Idempotency-Key of 10 KB" refused 400 POST /v1/instances -H "Idempotency-Key: $(head -c 10000 /dev/zero | tr '\0' k)" -d "$(noop x)"
ok "an Idempotency-Key with a blank" refused 400 POST /v1/instances -H 'Idempotency-Key: a b' -d "$(noop x)"
for header in 'Authorization: Bearer' 'Authorization: Bearer ' "Authorization: Basic $token" "Authorization: Bearer $token-and-more" "Authorization: bearer${token}" 'Authorization: Bearer null'; do
  ok "a token that is none: ${header:0:28}" test "$(curl -s -m 5 -o /dev/null -w '%{http_code}' -H "$header" "$FAIRLEAD_SERVER/v1/plans")" = 401
done
ok "a token in the address counts for nothing" test "$(curl -s -m 5 -o /dev/null -w '%{http_code}' "$FAIRLEAD_SERVER/v1/plans?access_token=$token&token=$token")" = 401
ok "the same query key twice" answers 200 GET "/v1/instances?state=running&state=deleted"
ok "a cursor that is none" refused 400 GET "/v1/instances?after=%27%3B%20drop%20table%20instances"
ok "... of events" refused 400 GET "/v1/instances/00000000-0000-7000-8000-0000000000ff/events?after=x"
ok "a state that is none is told which there are" bash -c ". '$root/tests/support/e2e.sh'; answers 400 GET '/v1/instances?state=nonsense' && jq -r .detail '$fleet/body' | grep -q 'new, running'"
# identities
for key in 0 -1 null undefined 00000000-0000-0000-0000-000000000000 ffffffff-ffff-ffff-ffff-ffffffffffff 99999999999999999999 "1%27%20or%201=1" "$(head -c 300 /dev/zero | tr '\0' 9)"; do
  ok "the identity ${key:0:36} is nobody's" refused 404 GET "/v1/instances/$key"
  ok "... nor to be deleted" refused 404 DELETE "/v1/instances/$key?purge=true"
done
for tag in '1' '"1' '""' '"x"' 'W/"1"' '"99999999999999999999"' '"-1"'; do
  ok "If-Match $tag is no ETag of an instance" bash -c ". '$root/tests/support/e2e.sh'; s=\$(api POST /v1/instances/00000000-0000-7000-8000-0000000000ff/stop -H 'If-Match: $tag' -d '{}'); [ \"\$s\" = 412 ] || [ \"\$s\" = 404 ]"
done
# slow and many
ok "a client that never ends its headers is let go" bash -c "exec 3<>/dev/tcp/$host/$port; printf 'GET / HTTP/1.1\r\n' >&3; timeout 40 cat <&3 >/dev/null; test \$? -ne 124"
ok "300 connections that say nothing hinder nobody" perl -MIO::Socket::INET -e '
  my @s = map { IO::Socket::INET->new(PeerAddr => $ARGV[0], PeerPort => $ARGV[1], Timeout => 2) } 1 .. 300;
  my $c = IO::Socket::INET->new(PeerAddr => $ARGV[0], PeerPort => $ARGV[1], Timeout => 3) or exit 1;
  print {$c} "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"; local $SIG{ALRM} = sub { exit 1 }; alarm 5; exit(<$c> =~ / 200 / ? 0 : 1)' "$host" "$port"
# A server of its own, which is patient for two seconds and has a hundred places.
FAIRLEAD_PORT=$((port + 7)) FAIRLEAD_REQUEST_TIMEOUT=2 FAIRLEAD_CONNECTIONS=100 FAIRLEAD_CONNECTIONS_PER_ADDRESS=10 FAIRLEAD_STATE=$fleet/coordinator \
  setsid "$BUILD/fairlead-coordinator" api >>"$fleet/impatient.log" 2>&1 </dev/null &
impatient=$!
trap 'kill $impatient 2>/dev/null || true' EXIT
own=http://127.0.0.1:$((port + 7))
within 20 curl -fs -m 2 "$own/healthz" >/dev/null
ok "who has no token is told so before the body has come" perl -MIO::Socket::INET -e '
  my $c = IO::Socket::INET->new(PeerAddr => $ARGV[0], PeerPort => $ARGV[1], Timeout => 3) or exit 1;
  print {$c} "POST /v1/instances HTTP/1.1\r\nHost: x\r\nContent-Length: 200000\r\n\r\n{"; $c->flush;
  local $SIG{ALRM} = sub { exit 1 }; alarm 5; my @all = <$c>; exit("@all" =~ m{^HTTP/1.1 401 .*"code"}s && "@all" =~ /urn:fairlead:problem:no_token/ ? 0 : 1)' "$host" "$port"
for slow in 'GET /v1/plans HTTP/1.1\r\nX: ' "POST /v1/plans HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer $token\r\nContent-Length: 100000\r\n\r\n"; do
  # A byte at a time is no silence: the whole request has its time. Well below the 30 s of what is silent.
  ok "who trickles is let go: ${slow:0:14}" perl -MIO::Socket::INET -e '
    my $c = IO::Socket::INET->new(PeerAddr => $ARGV[0], PeerPort => $ARGV[1], Timeout => 3) or exit 1;
    my $bytes = $ARGV[2]; $bytes =~ s/\\r/\r/g; $bytes =~ s/\\n/\n/g; local $SIG{PIPE} = "IGNORE";
    print {$c} $bytes; $c->flush; my $end = time + 15; my $gone = "";
    vec(my $r = "", fileno $c, 1) = 1;
    while (time < $end) { if (select(my $rr = $r, undef, undef, 0.2)) { sysread($c, my $b, 4096) or do { $gone = 1; last } } print {$c} "a"; $c->flush; }
    exit($gone ? 0 : 1)' "$host" "$((port + 7))" "$slow"
done
ok "half-open requests make way for who comes" perl -MIO::Socket::INET -e '
  my @s; for (1 .. 500) { my $s = IO::Socket::INET->new(PeerAddr => $ARGV[0], PeerPort => $ARGV[1], Timeout => 2) or next; print {$s} "GET /v1/plans HTTP/1.1\r\nX: "; $s->flush; push @s, $s;
    if ($_ % 100 == 0) { my $c = IO::Socket::INET->new(PeerAddr => $ARGV[0], PeerPort => $ARGV[1], Timeout => 2) or exit 1;
      print {$c} "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"; $c->flush; local $SIG{ALRM} = sub { exit 2 }; alarm 2; (<$c> // "") =~ / 200 / or exit 3; alarm 0; } }' "$host" "$((port + 7))"
ok "one address has a limit" perl -MIO::Socket::INET -e '
  my $served = 0; my @s;
  for (1 .. 30) { my $s = IO::Socket::INET->new(LocalAddr => "127.0.0.77", PeerAddr => $ARGV[0], PeerPort => $ARGV[1], Timeout => 2) or next; push @s, $s;
    local $SIG{PIPE} = "IGNORE"; print {$s} "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"; $s->flush; local $SIG{ALRM} = sub { exit 2 }; alarm 5; $served++ if (<$s> // "") =~ / 200 /; alarm 0; }
  exit($served == 10 ? 0 : 1)' "$host" "$((port + 7))"
ok "... which is no matter to another" curl -fs -m 3 "$own/healthz"
kill $impatient
ok "the process lives on" alive_still
finish
