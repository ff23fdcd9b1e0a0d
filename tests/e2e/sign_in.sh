#!/usr/bin/env bash
# People sign in: passwords, second factors, sessions by cookie and as tokens; guessing is slow, and locks nobody else out
# (acceptance 15, 17, 25).
# shellcheck source=../support/e2e.sh
. "$(dirname "${BASH_SOURCE[0]}")/../support/e2e.sh"
# shellcheck source=../support/processes.sh
. "$root/tests/support/processes.sh"
# shellcheck source=../support/tenants.sh
. "$root/tests/support/tenants.sh"
second='' second_url=http://127.0.0.1:18091
end() {
  [ -z "$second" ] || kill "$second" 2>/dev/null || true
  "$root/deploy/dev/stack" up >/dev/null
}
trap end EXIT
FAIRLEAD_STATE=$fleet/coordinator FAIRLEAD_PORT=18091 "$BUILD/fairlead-coordinator" api >"$fleet/second.log" 2>&1 &
second=$!
within 10 curl -fs "$second_url/readyz"
# As a proxy on this machine would say it: each person comes from an address of their own.
from() { echo "X-Forwarded-For: 192.0.2.$1"; }
sign_in() { # STATUS ADDRESS MEMBER PASSWORD [MORE JSON]
  tells "$1" '' POST /v1/sessions -H "$(from "$2")" -d "{\"member\":\"$3\",\"password\":\"$4\",\"kind\":\"token\"${5:-}}"
}
code_for() { tells 201 "$operator" POST "/v1/members/$1/invite" -d '{}' && jq -r .code "$fleet/body"; }
choose() { tells "$1" '' POST /v1/password -d "{\"member\":\"$2\",\"code\":\"$3\",\"password\":\"$4\"}"; }
password="a long password $tag" other="another long one $tag"

# ---- a password ----
code=$(code_for "$a/boss")
ok "a password of few characters is refused" choose 422 "$a/boss" "$code" "too short"
ok "a code that was never given chooses none" choose 401 "$a/boss" "$(printf '%032d' 7)" "$password"
ok "... nor that of another" choose 401 "$a/looker" "$code" "$password"
ok "with the code that was given a person chooses a password" choose 204 "$a/boss" "$code" "$password"
ok "... once" choose 401 "$a/boss" "$code" "$other"
ok "... and signs in with it" sign_in 201 1 "$a/boss" "$password"
session=$(jq -r .token "$fleet/body")
known() { tells 200 "$1" GET /v1/me && [ "$(jq -r .member "$fleet/body")" = "$a/boss" ]; }
everywhere() { [ "$(as "$2" GET /v1/me)" = "$1" ] && [ "$(curl -s -o /dev/null -w '%{http_code}' -H "Authorization: Bearer $2" "$second_url/v1/me")" = "$1" ]; }
ok "the session opens what the person may" within 1 known "$session"
ok "... on every coordinator" within 1 everywhere 200 "$session"
same_refusal() { # a name that is not there and a wrong password: the same words, and as much work
  sign_in 401 2 "$a/boss" "wrong password" || return 1
  cp "$fleet/body" "$fleet/first"
  sign_in 401 3 "$a/nobody" "wrong password" && cmp "$fleet/body" "$fleet/first"
}
ok "a wrong password and a name that is not there are refused in the same words" same_refusal
ok "a program has no password" bash -c "[ $(as '' POST /v1/sessions -H "$(from 4)" -d "{\"member\":\"$a/robot\",\"password\":\"$password\"}") = 401 ]"
ended() { tells 204 "$session" DELETE /v1/sessions -d '{}' && within 1 everywhere 401 "$session"; }
ok "a session ends within a second of its end, on every coordinator (25)" ended
ok "a token is no session to be ended" tells 422 "$boss" DELETE /v1/sessions -d '{}'
changed() { # all other sessions end with the old password
  local x y
  sign_in 201 1 "$a/boss" "$password" && x=$(jq -r .token "$fleet/body") && sign_in 201 1 "$a/boss" "$password" && y=$(jq -r .token "$fleet/body") || return 1
  within 1 everywhere 200 "$y" || return 1
  tells 403 "$x" POST /v1/me/password -d "{\"old\":\"not it at all\",\"password\":\"$other\"}" || return 1
  tells 204 "$x" POST /v1/me/password -d "{\"old\":\"$password\",\"password\":\"$other\"}" || return 1
  within 1 everywhere 401 "$y" && everywhere 200 "$x" && sign_in 401 5 "$a/boss" "$password" && sign_in 201 1 "$a/boss" "$other"
}
ok "another password ends all other sessions" changed

# ---- by cookie ----
browser() { curl -s -m 10 -o "$fleet/body" -w '%{http_code}' -b "$fleet/jar" -H 'Content-Type: application/json' "$@" || true; }
cookie_set() {
  curl -s -m 10 -D "$fleet/headers" -o "$fleet/body" -H "$(from 6)" -H 'Content-Type: application/json' \
    -d "{\"member\":\"$a/boss\",\"password\":\"$other\"}" "$FAIRLEAD_SERVER/v1/sessions"
  csrf=$(jq -r .csrf "$fleet/body")
  # curl keeps no Secure cookie of plain HTTP: what TLS in front of it would do is done here.
  cookie=$(sed -n 's/^[Ss]et-[Cc]ookie: \([^;]*\);.*/\1/p' "$fleet/headers" | tr -d '\r')
  grep -qiE '^set-cookie: __Host-fairlead=fl_[A-Za-z0-9_-]{48}; Path=/; Max-Age=43200; Secure; HttpOnly; SameSite=Strict.?$' "$fleet/headers" &&
    [ "$(jq -r .token "$fleet/body")" = null ] && [ ${#csrf} = 64 ]
}
ok "a browser gets a cookie that no script reads and no other host is sent" cookie_set
by_cookie() { # STATUS METHOD PATH [CURL ARGUMENT...]
  local want=$1 got method=$2 path=$3
  shift 3
  got=$(curl -s -m 10 -o "$fleet/body" -w '%{http_code}' -X "$method" -H "Cookie: $cookie" -H 'Content-Type: application/json' "$@" "$FAIRLEAD_SERVER$path")
  [ "$got" = "$want" ] || { echo "$method $path: $got, not $want"; cat "$fleet/body"; return 1; }
}
ok "... with which it looks" within 1 by_cookie 200 GET /v1/instances
ok "a change by cookie alone is refused: another page could have sent it" by_cookie 403 POST "/v1/instances/$mine/stop" -d '{}'
ok "... and with a wrong word" by_cookie 403 POST "/v1/instances/$mine/stop" -d '{}' -H "X-CSRF-Token: $(printf '%064d' 0)"
ok "... and from another origin, whatever it says" by_cookie 403 POST "/v1/instances/$mine/stop" -d '{}' -H "X-CSRF-Token: $csrf" -H 'Origin: https://elsewhere.example'
ok "... as the browser itself says" by_cookie 403 POST "/v1/instances/$mine/stop" -d '{}' -H "X-CSRF-Token: $csrf" -H 'Sec-Fetch-Site: same-site'
ok "... and done from our own page with what it was told" by_cookie 202 POST "/v1/instances/$mine/stop" -d '{}' -H "X-CSRF-Token: $csrf" -H "Origin: $FAIRLEAD_SERVER" -H 'Sec-Fetch-Site: same-origin'
ok "what is a cookie is no token" tells 401 "${cookie#*=}" GET /v1/me
token_as_cookie() { cookie="__Host-fairlead=$boss" by_cookie 401 GET /v1/me; }
ok "... and what is a token is no cookie" token_as_cookie

# ---- a second factor ----
factor() {
  sign_in 201 1 "$a/boss" "$other" && session=$(jq -r .token "$fleet/body") && within 1 known "$session" || return 1
  tells 403 "$session" POST /v1/me/factor -d '{"password":"not it"}' || return 1
  tells 200 "$session" POST /v1/me/factor -d "{\"password\":\"$other\"}" || return 1
  secret=$(jq -r .secret "$fleet/body")
  has "$(jq -r .uri "$fleet/body")" "otpauth://totp/" || return 1
  sign_in 201 1 "$a/boss" "$other" || return 1 # it does not count yet
  tells 422 "$session" POST /v1/me/factor/confirm -d '{"code":"000000"}' && tells 204 "$session" POST /v1/me/factor/confirm -d "{\"code\":\"$(oathtool --totp -b "$secret")\"}"
}
secret=''
ok "a second factor counts once a code of it was confirmed" factor
needs() { sign_in 401 1 "$a/boss" "$other" && [ "$(jq -r .code "$fleet/body")" = needs_code ]; }
ok "from then on signing in takes a code" needs
ok "... which only who knows the password is told" bash -c "[ \"\$(curl -s -H '$(from 7)' -H 'Content-Type: application/json' -d '{\"member\":\"$a/boss\",\"password\":\"wrong\"}' $FAIRLEAD_SERVER/v1/sessions | jq -r .code)\" = wrong_password ]"
next_code() { # of the step after the one that was used last: no waiting for it, the clock of the authenticator is ahead
  oathtool --totp -b -N "now + 30 seconds" "$secret"
}
with_code() { local c; c=$(next_code); sign_in 201 1 "$a/boss" "$other" ",\"code\":\"$c\"" && sign_in 401 8 "$a/boss" "$other" ",\"code\":\"$c\""; }
ok "a code signs in, once" with_code
ok "a wrong one does not" sign_in 401 8 "$a/boss" "$other" ',"code":"000001"'
off() { tells 403 "$session" POST /v1/me/factor/off -d '{"password":"not it"}' && tells 204 "$session" POST /v1/me/factor/off -d "{\"password\":\"$other\"}" && sign_in 201 1 "$a/boss" "$other"; }
ok "it is taken off by who knows the password" off

# ---- nothing of it is stored in clear ----
superuser=${FAIRLEAD_DATABASE_URL/fairlead_owner@/postgres@}
dump() {
  local text
  text=$(pg_dump -a "$superuser")
  lacks "$text" "$other" && lacks "$text" "$password" && lacks "$text" "$secret" && lacks "$text" "$session" && lacks "$text" "$code" &&
    lacks "$text" "$(base32 -d <<<"$secret" 2>/dev/null | od -An -tx1 | tr -d ' \n')" && has "$text" '$argon2id$'
}
ok "a dump of the database holds no password, no code, no session and no second factor (15)" dump
logs() { ! grep -hE "$other|$password|$secret|$session" "$fleet/coordinator.log" "$fleet/second.log"; }
ok "... nor do the logs" logs

# ---- guessing ----
sign_ins() { curl -s -H "Authorization: Bearer $operator" "$FAIRLEAD_SERVER/metrics" | awk -v r="result=\"$1\"" '$0 ~ "^fairlead_sign_ins_total" && index($0, r) {print $2}'; }
guess() { # 10,000 of them, from one place
  local before wrong_before
  before=$(sign_ins slowed) wrong_before=$(sign_ins wrong)
  for _ in $(seq 10000); do printf 'url = "%s/v1/sessions"\n' "$FAIRLEAD_SERVER"; done >"$fleet/guesses"
  curl -s -Z --parallel-max 20 -o /dev/null -X POST -H 'Content-Type: application/json' -H "$(from 66)" \
    -d "{\"member\":\"$a/boss\",\"password\":\"a guess of mine\"}" -K "$fleet/guesses" >/dev/null 2>&1 || true
  echo "slowed: $before -> $(sign_ins slowed), wrong: $wrong_before -> $(sign_ins wrong)"
  [ $(($(sign_ins slowed) - ${before:-0})) -gt 9000 ] && [ $(($(sign_ins wrong) - ${wrong_before:-0})) -le 60 ]
}
guess_all() {
  local guesser
  guess >"$fleet/guess.out" 2>&1 &
  guesser=$!
  # ... while others come and go, also the one who is guessed at
  sign_in 201 1 "$a/boss" "$other" && sign_in 201 9 "$a/boss" "$other" || return 1
  wait "$guesser" || { cat "$fleet/guess.out"; return 1; }
}
ok "10,000 guesses are slowed and counted, and lock nobody else out" guess_all
ok "... who guesses is told to wait" bash -c "curl -s -D - -o /dev/null -H '$(from 66)' -H 'Content-Type: application/json' -d '{\"member\":\"$a/boss\",\"password\":\"x\"}' $FAIRLEAD_SERVER/v1/sessions | grep -qi '^retry-after: [1-9]'"
ok "... everywhere: the other coordinator counts the same" bash -c "[ \$(curl -s -o /dev/null -w '%{http_code}' -H '$(from 66)' -H 'Content-Type: application/json' -d '{\"member\":\"$a/boss\",\"password\":\"x\"}' $second_url/v1/sessions) = 429 ]"
told() { [ "$(sql "select count(*) from audit where act = 'SESSION_CREATE' and status = 401 and address = '192.0.2.66'")" -ge 5 ] && [ "$(sql "select count(*) from audit where act = 'SESSION_CREATE' and status = 201 and address = '192.0.2.9'")" = 1 ]; }
ok "... and told in the audit, as is who got in" told
without_redis() {
  local pid rc=0
  pid=$(service_pid redis)
  kill "$pid" && within 10 gone "$pid" || return 1
  for _ in 1 2 3 4 5; do sign_in 401 77 "$a/boss" "wrong" || rc=1; done
  sign_in 429 77 "$a/boss" "wrong" || rc=1
  sign_in 201 1 "$a/boss" "$other" || rc=1
  "$root/deploy/dev/stack" up >/dev/null
  return $rc
}
ok "without Redis guessing is slowed all the same" without_redis

# ---- the command line ----
export HOME=$fleet/home
mkdir -p "$HOME"
cli() { env -u FAIRLEAD_TOKEN_FILE -u FAIRLEAD_SERVER "$fairlead" "$@"; }
cli_login() {
  local line
  line=$("$fairlead" member invite "$a/looker") || return 1
  has "$line" "fairlead login $a/looker --server $FAIRLEAD_SERVER --code" || return 1
  printf '%s\n' "$password" | cli login "$a/looker" --server "$FAIRLEAD_SERVER" --code "${line##*--code }" || return 1
  [ "$(cli whoami -o json | jq -r .member)" = "$a/looker" ] && [ "$(stat -c %a "$HOME/.config/fairlead/profiles/default")" = 600 ]
}
ok "fairlead login, with the code that was given, leaves a profile that opens" cli_login
cli_profiles() {
  printf '%s\n' "$other" | cli login "$a/boss" --server "$FAIRLEAD_SERVER" --profile work || return 1
  [ "$(cli whoami --profile work -o json | jq -r .member)" = "$a/boss" ] && [ "$(cli whoami -o json | jq -r .member)" = "$a/looker" ] &&
    [ "$(FAIRLEAD_PROFILE=work cli whoami -o json | jq -r .member)" = "$a/boss" ]
}
ok "... one beside another" cli_profiles
cli_out() { cli logout --profile work && ! cli whoami --profile work && cli whoami; }
ok "fairlead logout ends the session and its profile" cli_out
old_file() { # as before there were profiles
  mkdir -p "$HOME/.config/fairlead" && rm -r "$HOME/.config/fairlead/profiles"
  (umask 077; printf '%s\n' "$boss" >"$HOME/.config/fairlead/token")
  [ "$(env -u FAIRLEAD_TOKEN_FILE "$fairlead" whoami -o json | jq -r .member)" = "$a/boss" ]
}
ok "without a profile the file of before is read" old_file
members() {
  "$fairlead" member add "$a/clerk" --role viewer --title "A clerk" && "$fairlead" member list -o json | jq -e --arg m "$a/clerk" '.[] | select(.member == $m)' >/dev/null &&
    "$fairlead" member role "$a/clerk" administrator && [ "$("$fairlead" member get "$a/clerk" -o json | jq -r .role)" = administrator ] &&
    "$fairlead" token create laptop --member "$a/clerk" --file "$fleet/clerk.token" && [ "$("$fairlead" whoami --token-file "$fleet/clerk.token" -o json | jq -r .member)" = "$a/clerk" ] &&
    "$fairlead" token rotate "$("$fairlead" whoami --token-file "$fleet/clerk.token" -o json | jq -r .token)" --overlap 0 --file "$fleet/clerk.token" &&
    within 2 "$fairlead" whoami --token-file "$fleet/clerk.token" && "$fairlead" member get clerk --token-file "$fleet/clerk.token" &&
    "$fairlead" member remove "$a/clerk" && within 2 bash -c "! '$fairlead' whoami --token-file '$fleet/clerk.token'"
}
ok "members and tokens by the command line: added, changed, rotated, removed" members
tables() { has "$("$fairlead" role list)" administrator && has "$("$fairlead" token list)" "$a/boss" && has "$("$fairlead" audit list --limit 5)" "WHEN" && has "$("$fairlead" audit verify)" whole; }
ok "... and listed" tables

finish
