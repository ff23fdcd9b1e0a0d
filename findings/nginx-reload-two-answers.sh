#!/usr/bin/env bash
# nginx 1.22.1 (Debian 12): which configuration answers while it is reloaded (SIGHUP).
# guess:     there is one moment: before it every new connection is answered by the old configuration, after it by the new one;
#            who has got an answer of the new one will not get one of the old one again.
# behaviour: new processes take connections at once, and the old ones are told to stop only 100 ms later: for that time both
#            accept, so a new connection may be answered by the old configuration after another one had the new. Whoever proves
#            that a change is live must ask until the old processes are gone, and not once.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/packages.sh"
unpack nginx=1.22.1-9+deb12u11
write() {
  cat >"$work/nginx.conf" <<CONF
daemon off;
worker_processes 2;
pid $work/pid;
error_log $work/error.log;
events {}
http {
  access_log off;
  client_body_temp_path $work/a; proxy_temp_path $work/b; fastcgi_temp_path $work/c; uwsgi_temp_path $work/d; scgi_temp_path $work/e;
  server { listen 127.0.0.1:18999; return 200 "$1\n"; }
}
CONF
}
write old
"$work/root/usr/sbin/nginx" -e "$work/error.log" -p "$work" -c "$work/nginx.conf" &
started+=($!)
within 10 curl -sf http://127.0.0.1:18999/
# One connection after another, each answer written down, from before the reload until nothing old was heard for long.
reloaded() {
  perl -MIO::Socket::INET -MTime::HiRes=time -e '
    my ($pid, $until, @said) = ($ARGV[0], time + 3);
    kill HUP => $pid;
    while (time < $until) {
      my $c = IO::Socket::INET->new(PeerAddr => "127.0.0.1", PeerPort => 18999) or next;
      print {$c} "GET / HTTP/1.0\r\n\r\n";
      my $answer = do { local $/; <$c> };
      push @said, $answer =~ /(old|new)$/m ? $1 : "?";
    }
    my ($new) = grep { $said[$_] eq "new" } 0 .. $#said;
    print((grep { $_ eq "old" } @said[$new .. $#said]) ? "old after new\n" : "one moment\n");' "$(cat "$work/pid")"
}
write new
seen "old after new" "$(reloaded)"
