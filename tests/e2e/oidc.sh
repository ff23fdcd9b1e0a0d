#!/usr/bin/env bash
# People sign in at an identity provider: a small OpenID Connect server (mock-oauth2-server of Maven Central) that is set to say
# what is right, and what is not (acceptance 17).
# shellcheck source=../support/e2e.sh
. "$(dirname "${BASH_SOURCE[0]}")/../support/e2e.sh"
# shellcheck source=../support/tenants.sh
. "$root/tests/support/tenants.sh"
issuers=http://127.0.0.1:18300 server=''
end() { [ -z "$server" ] || kill "$server" 2>/dev/null || true; }
trap end EXIT
# As deploy/dev/services/kafka.sh fetches its jars.
jars=${XDG_CACHE_HOME:-$HOME/.cache}/fairlead/oidc-2.1.10
fetch() {
  [ ! -d "$jars" ] || return 0
  local tmp
  mkdir -p "${jars%/*}"
  tmp=$(mktemp -d "${jars%/*}/oidc.XXXXXX")
  cat >"$tmp/pom.xml" <<'EOF'
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>fairlead</groupId><artifactId>oidc</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies>
    <dependency><groupId>no.nav.security</groupId><artifactId>mock-oauth2-server</artifactId><version>2.1.10</version></dependency>
  </dependencies>
  <build><plugins><plugin>
    <groupId>org.apache.maven.plugins</groupId><artifactId>maven-dependency-plugin</artifactId><version>3.6.1</version>
  </plugin></plugins></build>
</project>
EOF
  # shellcheck source=../../deploy/dev/services/trust.sh
  . "$root/deploy/dev/services/trust.sh"
  MAVEN_OPTS=$(trust_options "$tmp/trust") mvn -q -B -ntp -f "$tmp/pom.xml" dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory="$tmp/lib" &&
    mv "$tmp/lib" "$jars" && rm -rf "$tmp"
}
ok "a server of OpenID Connect is fetched" fetch
says() { # ISSUER EXPIRY SUBJECT NAME AUDIENCE
  printf '{"issuerId":"%s","tokenExpiry":%s,"requestMappings":[{"requestParam":"client_id","match":"fairlead","claims":{"sub":"%s","preferred_username":"%s","aud":["%s"]}}]}' "$@"
}
JSON_CONFIG=$(printf '{"interactiveLogin":false,"tokenCallbacks":[%s,%s,%s,%s,%s]}' "$(says town 120 s-1 boss fairlead)" "$(says impostor 120 s-2 boss fairlead)" \
  "$(says stranger 120 s-3 nobody fairlead)" "$(says elsewhere 120 s-1 boss somebody)" "$(says passed -300 s-1 boss fairlead)") \
  SERVER_PORT=18300 java -cp "$jars/*" no.nav.security.mock.oauth2.StandaloneMockOAuth2ServerKt >"$fleet/oidc.log" 2>&1 &
server=$!
within 30 curl -fs -o /dev/null "$issuers/town/.well-known/openid-configuration"
(umask 077; echo "the secret of $tag" >"$fleet/client.secret")
provider() { "$fairlead" identity-provider create "$1" --issuer "$2" --client-id fairlead --client-secret "$fleet/client.secret"; }
made_there() { has "$(provider "$a/town" "$issuers/town")" "$FAIRLEAD_SERVER/v1/sign-in/$a/town"; }
ok "an operator says where a customer's people sign in" made_there
for i in impostor stranger elsewhere passed; do provider "$a/$i" "$issuers/$i" >/dev/null; done
provider "$a/slash" "$issuers/town/" >/dev/null
provider "$a/away" http://127.0.0.1:18301/town >/dev/null
ok "... which its own administrator does not: the coordinator asks the address" tells 403 "$boss" POST /v1/identity-providers -d '{}'
ok "... but sees" bash -c "curl -s -H 'Authorization: Bearer $boss' '$FAIRLEAD_SERVER/v1/identity-providers' | jq -e '.items | length == 7 and all(.[]; has(\"client_secret\") | not)'"
ok "... and another customer does not" bash -c "curl -s -H 'Authorization: Bearer $other_boss' '$FAIRLEAD_SERVER/v1/identity-providers' | jq -e '.items | length == 0'"
superuser=${FAIRLEAD_DATABASE_URL/fairlead_owner@/postgres@}
ok "the secret is nowhere in the database (15)" bash -c "pg_dump -a '$superuser' >'$fleet/dump' && ! grep -qF 'the secret of $tag' '$fleet/dump'"

# ---- there and back ----
location() { sed -n 's/^[Ll]ocation: \(.*\)/\1/p' "$1" | tr -d '\r'; }
go() { # PROVIDER: to it and through its page; the address that sends back is in $back, the browser's cookie in $state
  curl -s -m 10 -o "$fleet/body" -D "$fleet/there" "$FAIRLEAD_SERVER/v1/sign-in/$1"
  state=$(sed -n 's/^[Ss]et-[Cc]ookie: \(__Host-fairlead-sign-in=[^;]*\); Path=\/; Max-Age=600; Secure; HttpOnly; SameSite=Lax.*/\1/p' "$fleet/there")
  [ -n "$state" ] || { cat "$fleet/there" "$fleet/body"; return 1; }
  curl -s -m 10 -o "$fleet/page" -D "$fleet/back" "$(location "$fleet/there")"
  back=$(location "$fleet/back")
  has "$back" "$FAIRLEAD_SERVER/v1/sign-in/callback/$1" || { cat "$fleet/page"; return 1; }
}
come_back() { # STATUS [CURL ARGUMENT...]
  local want=$1 got
  shift
  got=$(curl -s -m 10 -o "$fleet/body" -D "$fleet/headers" -w '%{http_code}' "$@" "$back")
  [ "$got" = "$want" ] || { echo "$got, not $want"; cat "$fleet/body"; return 1; }
}
state='' back=''
asks_well() {
  go "$a/town" || return 1
  local url
  url=$(location "$fleet/there")
  has "$url" "code_challenge_method=S256" && has "$url" "&nonce=" && has "$url" "&state=${state#*=}" && lacks "$url" secret
}
ok "people are sent there with a state, a nonce and a challenge" asks_well
signed_in() {
  come_back 201 -H "Cookie: $state" || return 1
  local cookie
  cookie=$(sed -n 's/^[Ss]et-[Cc]ookie: \(__Host-fairlead=[^;]*\);.*/\1/p' "$fleet/headers" | tr -d '\r')
  within 1 bash -c "[ \"\$(curl -s -H 'Cookie: $cookie' '$FAIRLEAD_SERVER/v1/me' | jq -r .member)\" = '$a/boss' ]"
}
ok "... and come back as the member of that name" signed_in
ok "a code counts once" come_back 401 -H "Cookie: $state"
again() { go "$a/town" && signed_in && sql_is "select count(*) from identities i join members m on m.id = i.member_id join customers c on c.id = m.customer_id where c.name = '$a'" 1; }
ok "the next time they are known by who they are there" again
ok "(another, to be sent back from)" go "$a/town"
ok "who comes back to a browser that did not begin is refused: nobody is signed in by a link" come_back 401
ok "... with another's state, too" come_back 401 -H "Cookie: ${state%?}"
forged() {
  local zeros=00000000000000000000000000000000
  back=${back/${state#*=}/$zeros.7fffffff.0000000000000000.$zeros}
  come_back 401 -H "Cookie: __Host-fairlead-sign-in=$zeros.7fffffff.0000000000000000.$zeros"
}
ok "... with a state that we never made" forged
code_of() { local rest=${1#*code=}; echo "${rest%%&*}"; }
other_state() { # a code of one sign-in with the state of another: the challenge and the nonce are not those
  local code
  go "$a/town" || return 1
  code=$(code_of "$back")
  go "$a/town" || return 1
  back=${back/$(code_of "$back")/$code}
  come_back 401 -H "Cookie: $state"
}
ok "... with the code of another sign-in" other_state
refused_for() { go "$a/$1" && come_back 401 -H "Cookie: $state" && has "$(jq -r .code "$fleet/body") $(tail -n 5 "$fleet/coordinator.log")" "$2"; }
ok "whose name is nobody's here is told so" refused_for stranger no_member
mixed_up() { # what one provider sends back is not taken for another's, whatever state it carries
  go "$a/town" || return 1
  back=${back/callback\/$a\/town/callback\/$a\/impostor}
  come_back 401 -H "Cookie: $state" && has "$(tail -n 5 "$fleet/coordinator.log")" "Another identity provider"
}
ok "who is sent back by another provider than the one that was asked is refused" mixed_up
by_password() { # a name that somebody has here, with a password, is not taken by whoever has it there
  sql "delete from identities" >/dev/null
  sql "insert into passwords (member_id, hash) select m.id, 'x' from members m join customers c on c.id = m.customer_id where c.name = '$a' and m.name = 'boss'" >/dev/null
  refused_for town no_member
  local rc=$?
  sql "delete from passwords" >/dev/null
  return $rc
}
ok "a person with a password here is not taken over by the name there" by_password
sql "delete from identities" >/dev/null
ok "(the town knows its own again)" again
taken() { # another provider's person of the same name is somebody else
  sql "insert into identities (provider_id, subject, member_id) select p.id, 's-9', m.id from identity_providers p join members m on m.customer_id = p.customer_id and m.name = 'boss' where p.name = 'impostor'" >/dev/null
  refused_for impostor no_member
}
ok "a name that somebody is known by already is not taken by the next of that name" taken
ok "a token for somebody else is not believed" refused_for elsewhere "for somebody else"
ok "... nor one that has passed" refused_for passed "has passed"
begins() { # STATUS PROVIDER WORDS
  tells "$1" '' GET "/v1/sign-in/$2" && has "$(jq -r .detail "$fleet/body") $(tail -n 5 "$fleet/coordinator.log")" "$3"
}
ok "... nor an issuer that calls itself otherwise" begins 401 "$a/slash" "another issuer"
ok "a provider that is away is told from one that refuses" begins 503 "$a/away" "cannot be reached"
ok "one that is not there is not there" begins 404 "$a/nothing" "no such"
ok "what the identity provider refuses is said" bash -c "curl -s -H 'Cookie: $state' '$FAIRLEAD_SERVER/v1/sign-in/callback/$a/town?error=access_denied&state=${state#*=}' | jq -r .detail | grep -q access_denied"
told() { sql_is "select count(*) > 1 from audit where act = 'SIGN_IN_END' and status = 201 and principal_id is not null" t && sql_is "select count(*) > 0 from audit where act = 'SIGN_IN_END' and status = 401" t; }
ok "the audit tells who came in, and who did not" told
gone() { "$fairlead" identity-provider delete "$a/town" && begins 404 "$a/town" "no such"; }
ok "a provider that is deleted signs nobody in" gone

finish
