# What the scripts of bad inputs share. Each line of the list (HTTP, JSON, Kafka records ...) that can reach something
# built is a case: refused with a clear error or counted, without any effect. Sourced after support/e2e.sh.
# shellcheck shell=bash disable=SC2154,SC2034
host=127.0.0.1 port=${FAIRLEAD_SERVER##*:}
token=$(cat "$fleet/token")
# The status line of what comes back when these bytes are sent; "closed" when nothing does. At most 5 s.
raw() { # BYTES (printf format)
  # shellcheck disable=SC2059
  printf "$1" | perl -MIO::Socket::INET -e '
    local $/; my $bytes = <STDIN>; my $s = IO::Socket::INET->new(PeerAddr => $ARGV[0], PeerPort => $ARGV[1], Timeout => 3) or die;
    local $SIG{ALRM} = sub { print "silent"; exit }; alarm 5; local $SIG{PIPE} = "IGNORE";
    print {$s} $bytes; $s->flush; local $/ = "\n"; my $line = <$s>; print defined $line ? $line : "closed"' "$host" "$port" | tr -d '\r\n'
}
raw_is() { # STATUS-PATTERN BYTES
  local got
  got=$(raw "$2")
  [[ $got =~ $1 ]] || { echo "got \"$got\""; return 1; }
}
alive_still() { curl -fs -m 3 "$FAIRLEAD_SERVER/healthz"; }
# A request is refused with that status, says so in a problem document with a sentence, and changes nothing.
refused() { # STATUS METHOD PATH [CURL ARGUMENT...]
  local before after
  before=$(counts)
  answers "$@" || return 1
  [ "$1" -lt 400 ] || jq -e '.code and .detail and .status' "$fleet/body" >/dev/null || { cat "$fleet/body"; return 1; }
  after=$(counts)
  [ "$before" = "$after" ] || { echo "something changed: $before, now $after"; return 1; }
}
counts() { sql "select (select count(*) from instances) || ' ' || (select count(*) from customers) || ' ' || (select count(*) from tenants) || ' ' || (select count(*) from plans) || ' ' || (select count(*) from nodes) || ' ' || (select count(*) from releases)"; }
