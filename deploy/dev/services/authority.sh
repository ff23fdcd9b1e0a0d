# Our certificate authority, by the coordinator's own commands: who is who to Kafka. It is no process. Sourced by kafka.sh.
# shellcheck shell=bash disable=SC2154
authority_dir=$run/authority
authority_coordinator=${BUILD:-$here/../../build/gcc}/fairlead-coordinator

# authority_program NAME HOST...: its certificate, unless it has one for another month, and for these hosts.
authority_program() {
  local name=$1 file=$authority_dir/$1.pem
  if [ "$(first_line "$file.hosts")" = "$*" ] && openssl x509 -in "$file" -noout -checkend 2592000 >/dev/null 2>&1; then return 0; fi
  "$authority_coordinator" --authority "$authority_dir" issue "$@" >>"$authority_dir/log" 2>&1 ||
    die "a certificate for $name cannot be made, see $authority_dir/log"
  echo "$*" >"$file.hosts"
}

# The broker; the coordinator; who makes topics and rights; and a hand that may do everything, for tests and people.
authority_up() { # HOST...
  [ -x "$authority_coordinator" ] || die "there is no $authority_coordinator; next: make"
  install -d -m 0700 "$authority_dir"
  "$authority_coordinator" --authority "$authority_dir" authority >"$authority_dir/log" 2>&1 ||
    die "the authority cannot be made, see $authority_dir/log"
  authority_program broker "$@"
  authority_program coordinator
  authority_program topics
  authority_program tools
}
