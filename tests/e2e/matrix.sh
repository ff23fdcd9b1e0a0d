#!/usr/bin/env bash
# Each route, as everybody who may ask, about what is theirs, what is another's and what is not there: what the table of routes
# and the rows of roles say is what happens, cell by cell (acceptance 17). Each cell that is refused has one that is not.
# shellcheck source=../support/e2e.sh
. "$(dirname "${BASH_SOURCE[0]}")/../support/e2e.sh"
# shellcheck source=../support/tenants.sh
. "$root/tests/support/tenants.sh"
missing=00000000-0000-7000-8000-00000000dead
their_token=$(id_of_token "$other_boss") my_token=$(id_of_token "$looker")
made /v1/tokens "{\"name\":\"gone\",\"member\":\"$a/boss\"}"
revoked=$(jq -r .token "$fleet/body")
tells 204 "$operator" DELETE "/v1/tokens/$(jq -r .id "$fleet/body")" || exit 1
for c in "$a idp" "$b zqzqidp"; do
  made /v1/identity-providers "{\"name\":\"${c#* }\",\"customer\":\"${c% *}\",\"issuer\":\"http://127.0.0.1:9\",\"client_id\":\"c\",\"client_secret\":\"s\"}"
done
made /v1/releases "{\"app\":\"m$tag\",\"spec\":{\"title\":\"t\",\"summary\":\"s\",\"version\":\"1\",\"noop\":true},\"template\":\"\"}"
dead_letter=00000000-0000-7000-8000-$(printf %012d "$tag")
sql "insert into dead_letters (id, source, reason, bytes, created_at) values ('$dead_letter', 'matrix', 'a test', '', now())" >/dev/null

# What stands for a name in braces: of A, of B, of nobody.
declare -A own=([plan]=pa$tag [customer]=$a [tenant]=$a/main [plane]=main [size]=main/small [node]=server [app]=noop
  [release]=m$tag/1 [id]=$dead_letter [instance]=$mine [role]=viewer [member]=$a/looker [token]=$my_token [provider]=$a/idp)
declare -A foreign=([plan]=$b-plan [customer]=$b [tenant]=$b/main [plane]=$b-plane [size]=$b-plane/small [node]=$b-node
  [instance]=$theirs [member]=$b/boss [token]=$their_token [provider]=$b/zqzqidp)
declare -A nobody=([plan]=nobody [customer]=nobody [tenant]=nobody/main [plane]=nobody [size]=main/nobody [node]=nobody [app]=nobody
  [release]=noop/99 [id]=$missing [instance]=$missing [role]=nobody [member]=nobody/nobody [token]=$missing [provider]=nobody/nobody)
kind_of() { # PATH: whose identity its names in braces are
  local name=${1#*\{}
  case $1 in
  *'{customer}/{tenant}'*) echo tenant ;; *'{customer}/{member}'*) echo member ;; *'{customer}/{provider}'*) echo provider ;; *'{plane}/{size}'*) echo size ;;
  *'{app}/{version}'*) echo release ;; *'{'*) echo "${name%%\}*}" ;;
  *) echo none ;;
  esac
}
path_of() { sed -E "s|\{.*\}|$2|" <<<"$1"; } # TEMPLATE VALUE

# ---- who asks, and what each may: from the rows, not from the program's table ----
declare -A token=([nobody]='' [revoked]=$revoked [operator]=$operator [observer]=$observer [planed]=$planed [boss]=$boss
  [looker]=$looker [limited]=$limited [robot]=$robot [other]=$other_boss)
declare -A role=([operator]=operator [observer]=observer [planed]=operator [boss]=administrator [looker]=viewer
  [limited]=administrator [robot]=administrator [other]=administrator)
declare -A is_limited=([planed]=1 [boss]=1 [looker]=1 [limited]=1 [robot]=1 [other]=1)
declare -A scopes
for who in "${!role[@]}"; do scopes[$who]=" $(sql "select array_to_string(scopes, ' ') from access_roles where name = '${role[$who]}'") "; done
scopes[robot]=' instances.read '
may() { case ${scopes[$1]:-} in *' * '* | *" $2 "*) ;; *) return 1 ;; esac }

# Does it reach the object of this kind? Kinds without an owner are everybody's.
reaches() { # WHO KIND WHOSE (own, foreign)
  local whose=$3
  case $2 in app | role | id | release) return 0 ;; esac
  case $1 in
  operator | observer) return 0 ;;
  other)
    case $2:$whose in
    plane:own | size:own) return 0 ;; # shared
    node:*) return 1 ;;
    *) [ "$whose" = foreign ] ;;
    esac ;;
  planed)
    case $2 in
    member | token | provider) return 1 ;;
    *) [ "$whose" = own ] ;;
    esac ;;
  limited)
    case $2 in
    tenant | instance | member | token | provider) return 1 ;; # A's, but of another tenant
    node) return 1 ;;
    *) [ "$whose" = own ] ;;
    esac ;;
  *) [ "$2" != node ] && [ "$whose" = own ] ;;
  esac
}
# A token is one's own without any scope; of others, with access.write.
reaches_token() { # WHO WHOSE
  case $1:$2 in looker:own | other:foreign) return 0 ;; esac
  may "$1" access.write && reaches "$1" token "$2"
}

# ---- what is sent: nothing that a later cell needs is changed ----
body_of() { # ROUTE
  case $1 in
  ENROL) printf '{"code":"%032d","sign_key":"%064d","seal_key":"%064d","proof":"%0128d"}' 0 0 0 0 ;;
  RENEW_CHALLENGE) echo "{\"node\":\"$missing\"}" ;;
  RENEW) printf '{"node":"%s","challenge":"00","request":"none","proof":"%0128d"}' "$missing" 0 ;;
  PLAN_CREATE) echo "{\"name\":\"pa$tag\",\"modes\":[\"shared\"]}" ;;
  CUSTOMER_CREATE) echo "{\"name\":\"$a\",\"plan\":\"pa$tag\"}" ;;
  TENANT_CREATE) echo "{\"name\":\"main\",\"customer\":\"$a\"}" ;;
  PLANE_CREATE) echo "{\"name\":\"main\",\"domain\":\"x.test\",\"recovery_key\":\"$(printf '%064d' 1)\"}" ;;
  NODE_CREATE) echo '{"name":"server","plane":"main","roles":["host"],"address":"127.0.0.8","cpu_milli":1000,"memory_mb":1000,"disk_mb":1000}' ;;
  SIZE_CREATE) echo '{"name":"small","plane":"main","cpu_milli":100,"memory_mb":64,"disk_mb":10}' ;;
  RELEASE_CREATE) echo "{\"app\":\"m$tag\",\"spec\":{\"title\":\"t\",\"summary\":\"s\",\"version\":\"1\",\"noop\":true},\"template\":\"\"}" ;;
  IMAGES_PRUNE) echo '{"look":true}' ;;
  IMAGES_PRUNED) echo "{\"images\":[\"x@sha256:$(printf '%064d' 0)\"]}" ;;
  NODE_LABELS) echo '{"labels":["region=eu"]}' ;;
  NODE_ADDRESS) echo '{"address":"127.0.0.8"}' ;;
  NODE_REPORTS) echo '{"reports":"AAAA"}' ;;
  INSTANCE_CREATE) echo "{\"app\":\"noop\",\"name\":\"mine\",\"customer\":\"$a\",\"tenant\":\"main\",\"plane\":\"main\"}" ;;
  MEMBER_CREATE) echo "{\"name\":\"looker\",\"customer\":\"$a\",\"role\":\"viewer\"}" ;;
  SESSION_CREATE) echo "{\"member\":\"$a/boss\",\"password\":\"x\"}" ;;
  PASSWORD_SET) printf '{"member":"%s/boss","code":"%032d","password":"not long enough?"}' "$a" 0 ;;
  IDENTITY_PROVIDER_CREATE) echo '{"name":"idp","issuer":"https://id.example","client_id":"c","client_secret":"s"}' ;;
  MEMBER_ROLE) echo '{"role":"nobody"}' ;;
  TOKEN_CREATE) echo '{"name":""}' ;;
  *) echo '{}' ;;
  esac
}
# What would take something away is tried with something made for it.
fresh() { # ROUTE: the value for its path
  local n=$tag-$RANDOM
  case $1 in
  PLAN_DELETE) made /v1/plans "{\"name\":\"x$n\",\"modes\":[\"shared\"]}"; echo "x$n" ;;
  CUSTOMER_DELETE) made /v1/customers "{\"name\":\"x$n\",\"plan\":\"pa$tag\"}"; echo "x$n" ;;
  TENANT_DELETE) made /v1/tenants "{\"name\":\"x$n\",\"customer\":\"$a\"}"; echo "$a/x$n" ;;
  PLANE_DELETE) made /v1/planes "{\"name\":\"x$n\",\"domain\":\"x.test\",\"recovery_key\":\"$(printf '%064d' 1)\"}"; echo "x$n" ;;
  NODE_DELETE | NODE_INVITE | NODE_ADDRESS | NODE_LABELS | NODE_REVOKE) made /v1/nodes "{\"name\":\"x$n\",\"plane\":\"main\",\"roles\":[\"host\"],\"address\":\"127.0.0.8\",\"cpu_milli\":1000,\"memory_mb\":1000,\"disk_mb\":1000}"; echo "x$n" ;;
  SIZE_DELETE) made /v1/sizes "{\"name\":\"x$n\",\"plane\":\"main\",\"cpu_milli\":100,\"memory_mb\":64,\"disk_mb\":10}"; echo "main/x$n" ;;
  MEMBER_DELETE) made /v1/members "{\"name\":\"x$n\",\"customer\":\"$a\",\"role\":\"viewer\"}"; echo "$a/x$n" ;;
  IDENTITY_PROVIDER_DELETE) made /v1/identity-providers "{\"name\":\"x${n: -8}\",\"customer\":\"$a\",\"issuer\":\"https://id.example\",\"client_id\":\"c\",\"client_secret\":\"s\"}"; echo "$a/x${n: -8}" ;;
  TOKEN_REVOKE | TOKEN_ROTATE) made /v1/tokens "{\"name\":\"fresh\",\"member\":\"$a/looker\"}"; jq -r .id "$fleet/body" ;;
  DEAD_LETTER_DELETE | DEAD_LETTER_RETRY) n=$(cat /proc/sys/kernel/random/uuid)
    sql "insert into dead_letters (id, source, reason, bytes, created_at) values ('$n', 'fairlead.reports', 'a test', '', now())" >/dev/null; echo "$n" ;;
  *) return 1 ;;
  esac
}

# ---- a cell ----
cells=0 refused=0 opened=0 wrong=0
expect() { # WHO SCOPE REACH KIND WHOSE: 401, no_scope, too_far, 404, open
  local who=$1 scope=$2 reach=$3 kind=$4 whose=$5
  [ "$scope" = - ] && { echo open; return; }
  case $who in nobody | revoked) echo 401; return ;; esac
  [ "$scope" = '*' ] || may "$who" "$scope" || { echo no_scope; return; }
  [ "$reach" = own ] || [ -z "${is_limited[$who]:-}" ] || { echo too_far; return; }
  [ "$kind" != none ] || { echo open; return; }
  [ "$whose" = nobody ] && { echo 404; return; }
  if [ "$kind" = token ]; then reaches_token "$who" "$whose"; else reaches "$who" "$kind" "$whose"; fi && echo open || echo 404
}
# Only what the route itself says counts as open: 404 and 401 would be the object's, 403 the scope's.
cell() { # ROUTE METHOD TEMPLATE SCOPE REACH WHO WHOSE
  local id=$1 method=$2 kind value want got code
  kind=$(kind_of "$3")
  want=$(expect "$6" "$4" "$5" "$kind" "$7")
  case $7 in own) value=${own[$kind]:-} ;; foreign) value=${foreign[$kind]:-} ;; *) value=${nobody[$kind]:-} ;; esac
  if [ "$want" = open ] && [ "$7" != nobody ]; then
    if [ "$7" = own ] && got=$(fresh "$id"); then value=$got; elif [ "$method" = DELETE ]; then return 0; fi
  fi
  local args=(-H 'If-Match: "999999"')
  [ "$method" = GET ] || args+=(-d "$(body_of "$id")")
  got=$(as "${token[$6]}" "$method" "$(path_of "$3" "$value")" "${args[@]}")
  code=$(jq -r '.code? // empty' "$fleet/body" 2>/dev/null || true)
  cells=$((cells + 1))
  case $want in open) opened=$((opened + 1)) ;; *) refused=$((refused + 1)) ;; esac
  case $want:$got:$code in
  open:2??:* | open:409:* | open:412:* | open:422:*) return 0 ;;
  open:401:bad_code | open:401:wrong_password | open:429:too_often | open:401:bad_state | open:403:not_yours) return 0 ;; # a stranger, judged
  open:503:no_identity_provider) return 0 ;; # nobody is there to be asked
  open:503:* | open:400:*) ;;
  401:401:no_token | 401:401:bad_token | no_scope:403:no_scope | too_far:403:too_far | 404:404:not_found) return 0 ;;
  esac
  wrong=$((wrong + 1))
  echo "$id $method $(path_of "$3" "$value") as $6, $7: $got $code, not $want"
}
row() { # ROUTE METHOD TEMPLATE SCOPE REACH
  local who whose before=$wrong kinds=own
  case $3 in *'{'*) kinds='own foreign nobody' ;; esac
  for who in nobody revoked operator observer planed boss looker limited robot other; do
    for whose in $kinds; do
      [ "$4" != - ] || [ "$whose" = own ] || continue # what strangers may is nobody's
      [ "$whose" != foreign ] || [ -n "${foreign[$(kind_of "$3")]:-}" ] || continue
      cell "$1" "$2" "$3" "$4" "$5" "$who" "$whose"
    done
  done
  [ "$wrong" = "$before" ]
}
while IFS=$'\t' read -r id method path scope reach; do
  ok "$id: $method $path ($scope, $reach) opens to whom it should, and to nobody else (17)" row "$id" "$method" "$path" "$scope" "$reach"
done < <("$BUILD/fairlead-coordinator" matrix)
echo "     the matrix: $cells cells, $opened open, $refused refused"
ok "... and no row of it was left out" [ "$("$BUILD/fairlead-coordinator" matrix | wc -l)" = "$(grep -c '^| [A-Z]* | `/' "$root/docs/ROUTES.md")" ]

# ---- what a body names is judged as what a path names ----
asks() { # STATUS CODE TOKEN PATH BODY
  tells "$1" "$3" POST "$4" -d "$5" && [ "$(jq -r '.code // empty' "$fleet/body")" = "$2" ] || { cat "$fleet/body"; return 1; }
}
create() { echo "{\"app\":\"noop\",\"name\":\"$1\",\"customer\":\"$2\",\"tenant\":\"$3\",\"plane\":\"$4\"}"; }
same_words() { # TOKEN PATH BODY BODY: another's and nobody's are refused in the same words
  local first
  as "$1" POST "$2" -d "$3" >/dev/null
  first=$(sed "s/$b-plane/X/g; s/$b/X/g" "$fleet/body")
  as "$1" POST "$2" -d "$4" >/dev/null
  [ "$first" = "$(sed 's/nobody/X/g' "$fleet/body")" ] || { echo "$first"; cat "$fleet/body"; return 1; }
}
ok "an instance of another customer cannot be asked for" asks 422 unknown_tenant "$boss" /v1/instances "$(create x "$b" main main)"
ok "... nor on its plane" asks 422 unknown_plane "$boss" /v1/instances "$(create x "$a" main "$b-plane")"
ok "... nor in another tenant than one's own" asks 422 unknown_tenant "$limited" /v1/instances "$(create x "$a" main main)"
ok "... which can be asked for in it" asks 202 '' "$limited" /v1/instances "$(create inside "$a" side main)"
ok "... nor on another plane than one's own" asks 422 unknown_plane "$planed" /v1/instances "$(create x "$b" main "$b-plane")"
ok "a customer that is another's and one that is not there are refused in the same words" same_words "$boss" /v1/instances "$(create x "$b" main main)" "$(create x nobody main main)"
ok "... a plane, too" same_words "$boss" /v1/instances "$(create x "$a" main "$b-plane")" "$(create x "$a" main nobody)"
ok "no member of another customer can be made" asks 422 unknown_customer "$boss" /v1/members "{\"name\":\"x\",\"customer\":\"$b\",\"role\":\"viewer\"}"
one_of_ours() { asks 201 '' "$boss" /v1/members "{\"name\":\"n$tag\",\"role\":\"viewer\"}" && [ "$(jq -r .customer "$fleet/body")" = "$a" ]; }
ok "... nor one of the provider: what is not said is one's own" one_of_ours
ok "... nor with a role of the provider's" asks 422 unknown_role "$boss" /v1/members '{"name":"x","role":"operator"}'
ok "... nor beyond the tenant of who makes it" asks 422 unknown_tenant "$limited" /v1/members '{"name":"x","tenant":"main","role":"viewer"}'
ok "no token can be had of another's member" asks 422 unknown_member "$boss" /v1/tokens "{\"name\":\"x\",\"member\":\"$b/boss\"}"
ok "... in the words of one that is not there" same_words "$boss" /v1/tokens "{\"name\":\"x\",\"member\":\"$b/x\"}" '{"name":"x","member":"nobody/x"}'
ok "a plane that is another's and one that is not there are refused in the same words, of a member, too" same_words "$boss" /v1/members "{\"name\":\"x\",\"role\":\"viewer\",\"plane\":\"$b-plane\"}" '{"name":"x","role":"viewer","plane":"nobody"}'
ok "... and a customer, to who is limited to a plane" same_words "$planed" /v1/members "{\"name\":\"x\",\"role\":\"viewer\",\"customer\":\"$b\"}" '{"name":"x","role":"viewer","customer":"nobody"}'
ok "who is limited to a plane asks for nobody who is not on it" asks 422 unknown_tenant "$planed" /v1/instances "$(create x "$b" main main)"
ok "... but for who is" asks 202 '' "$planed" /v1/instances "$(create onplane "$a" main main)"
ok "nobody gives more than they have: a viewer no member's token" asks 403 more_than_own "$looker" /v1/tokens "{\"name\":\"x\",\"member\":\"$a/boss\"}"
ok "... a token of less no token of more" asks 403 more_than_own "$robot" /v1/tokens '{"name":"x","scopes":["instances.write"]}'
less() {
  asks 201 '' "$robot" /v1/tokens '{"name":"x"}' || return 1
  tells 200 "$(jq -r .token "$fleet/body")" GET /v1/me && [ "$(jq -c .scopes "$fleet/body")" = '["instances.read"]' ]
}
ok "... but one of as much" less

# ---- lists hold what is one's own ----
lists_only_own() { # TOKEN
  local path
  for path in plans customers tenants planes sizes instances members tokens audit nodes; do
    as "$1" GET "/v1/$path" >/dev/null
    lacks "$(cat "$fleet/body")" zqzq || { echo "in $path"; return 1; }
  done
}
for who in boss looker limited robot planed; do ok "what lists show $who holds nothing of another's" lists_only_own "${token[$who]}"; done
sees() { as "$other_boss" GET "/v1/$1" >/dev/null; has "$(cat "$fleet/body")" zqzq; }
for path in plans customers tenants planes sizes instances members tokens audit; do ok "... which is there for who it belongs to ($path)" sees "$path"; done

finish
