# Java does not read the certificate bundle that curl, pip and the others are pointed to (SSL_CERT_FILE). Where that bundle
# has authorities that Java lacks (a mirror behind a private one), Maven needs a trust store with both. Sourced by kafka.sh.
# shellcheck shell=bash disable=SC2154

# trust_options FOLDER: the Java options, if any; the store is made in FOLDER.
trust_options() {
  local dir=$1 home known pem print made=
  [ -s "${SSL_CERT_FILE:-}" ] || return 0
  home=$(java -XshowSettings:properties -version 2>&1 | sed -n 's/^ *java.home = //p')
  [ -s "$home/lib/security/cacerts" ] || return 0
  mkdir -p "$dir"
  cp -L "$home/lib/security/cacerts" "$dir/store"
  awk -v dir="$dir" '/BEGIN CERTIFICATE/ { close(file); file = dir "/" ++n ".pem" } file { print >file }' "$SSL_CERT_FILE"
  known=$(keytool -list -keystore "$dir/store" -storepass changeit 2>/dev/null)
  for pem in "$dir"/*.pem; do
    print=$(openssl x509 -noout -fingerprint -sha256 -in "$pem" | cut -d= -f2)
    if ! grep -qF "$print" <<<"$known"; then
      keytool -importcert -noprompt -alias "bundle-$(basename "$pem" .pem)" -file "$pem" -keystore "$dir/store" -storepass changeit 2>/dev/null
      made=yes
    fi
  done
  [ -z "$made" ] || printf %s "-Djavax.net.ssl.trustStore=$dir/store -Djavax.net.ssl.trustStorePassword=changeit"
}
