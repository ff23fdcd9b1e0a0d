# Two customers, A and B, with all that belongs to them, and a token of everybody who may ask. Sourced after e2e.sh.
# What is B's has "zqzq" in its name: whatever is shown to A must not hold that.
# shellcheck shell=bash disable=SC2154,SC2034
tag=$(($(date +%s) % 100000))
a=a$tag b=zqzq$tag
as() { # TOKEN METHOD PATH [CURL ARGUMENT...]: the status; the body in $fleet/body
  local token=$1 method=$2 path=$3
  shift 3
  curl -s -m 15 -o "$fleet/body" -w '%{http_code}' -X "$method" ${token:+-H "Authorization: Bearer $token"} \
    -H 'Content-Type: application/json' "$@" "$FAIRLEAD_SERVER$path" || true
}
tells() { # STATUS TOKEN METHOD PATH [CURL ARGUMENT...]
  local want=$1 got
  shift
  got=$(as "$@")
  [ "$got" = "$want" ] || { echo "$2 $3: status $got, not $want"; cat "$fleet/body"; return 1; }
}
operator=$(cat "$fleet/token")
made() { tells 201 "$operator" POST "$1" -d "$2" || { cat "$fleet/body" >&2; exit 1; }; }
token_of() { # MEMBER [SCOPES (JSON)]
  made /v1/tokens "{\"name\":\"test\",\"member\":\"$1\"${2:+,\"scopes\":$2}}"
  jq -r .token "$fleet/body"
}
instance_of() { # CUSTOMER NAME PLANE
  tells 202 "$operator" POST /v1/instances -d "{\"app\":\"noop\",\"name\":\"$2\",\"customer\":\"$1\",\"tenant\":\"main\",\"plane\":\"$3\"}" ||
    { cat "$fleet/body" >&2; exit 1; }
  jq -r .id "$fleet/body"
}
made /v1/plans "{\"name\":\"pa$tag\",\"modes\":[\"shared\"]}"
made /v1/plans "{\"name\":\"$b-plan\",\"modes\":[\"shared\",\"dedicated\"]}"
made /v1/customers "{\"name\":\"$a\",\"plan\":\"pa$tag\"}"
made /v1/customers "{\"name\":\"$b\",\"plan\":\"$b-plan\",\"title\":\"zqzq title\"}"
made /v1/tenants "{\"name\":\"main\",\"customer\":\"$a\"}"
made /v1/tenants "{\"name\":\"side\",\"customer\":\"$a\"}"
made /v1/tenants "{\"name\":\"main\",\"customer\":\"$b\",\"title\":\"zqzq tenant\"}"
made /v1/planes "{\"name\":\"$b-plane\",\"mode\":\"dedicated\",\"customer\":\"$b\",\"domain\":\"zqzq$tag.test\",\"recovery_key\":\"$(printf '%064d' 1)\"}"
made /v1/sizes "{\"name\":\"small\",\"plane\":\"$b-plane\",\"cpu_milli\":100,\"memory_mb\":64,\"disk_mb\":10}"
made /v1/nodes "{\"name\":\"$b-node\",\"plane\":\"$b-plane\",\"roles\":[\"host\"],\"address\":\"127.0.0.9\",\"cpu_milli\":1000,\"memory_mb\":1000,\"disk_mb\":1000}"
for c in "$a" "$b"; do
  made /v1/members "{\"name\":\"boss\",\"customer\":\"$c\",\"role\":\"administrator\"}"
  made /v1/members "{\"name\":\"looker\",\"customer\":\"$c\",\"role\":\"viewer\"}"
  made /v1/members "{\"name\":\"robot\",\"kind\":\"program\",\"customer\":\"$c\",\"role\":\"administrator\"}"
done
made /v1/members "{\"name\":\"limited\",\"customer\":\"$a\",\"tenant\":\"side\",\"role\":\"administrator\"}"
made /v1/members "{\"name\":\"o$tag\",\"role\":\"observer\"}"
made /v1/members "{\"name\":\"l$tag\",\"plane\":\"main\",\"role\":\"operator\"}"
made /v1/members "{\"name\":\"$b-op\",\"role\":\"operator\"}"
boss=$(token_of "$a/boss") looker=$(token_of "$a/looker") limited=$(token_of "$a/limited")
robot=$(token_of "$a/robot" '["instances.read"]') observer=$(token_of "o$tag") planed=$(token_of "l$tag")
other_boss=$(token_of "$b/boss")
mine=$(instance_of "$a" mine main) theirs=$(instance_of "$b" zqzqtheirs "$b-plane")
id_of_token() { tells 200 "$1" GET /v1/me && jq -r .token "$fleet/body"; }
