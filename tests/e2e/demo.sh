#!/usr/bin/env bash
# The two real apps, as the demo makes them: O7 (the form's values are in the first page) and O1 (a row by the page).
# shellcheck source=../support/e2e.sh
. "$(dirname "${BASH_SOURCE[0]}")/../support/e2e.sh"
ok "make demo's own script ends well" env TITLE="Town <of> \"Harbour\" \$HOME" "$root/deploy/dev/demo" up
site=http://site-office-harbour.$FAIRLEAD_ZONE:$FAIRLEAD_HTTP_PORT
data=http://data-office-harbour.$FAIRLEAD_ZONE:$FAIRLEAD_HTTP_PORT
input() { FAIRLEAD_TENANT=harbour/office "$fairlead" instance get site -o json | jq -r ".inputs.$1"; }
first_page=$(curl -s "$site/" | sed 's/&#039;/'"'"'/g; s/&quot;/"/g; s/&lt;/</g; s/&gt;/>/g; s/&amp;/\&/g')
ok "the customer's whole title is in the first page (O7)" has "$first_page" "$(input title)"
ok "... and the tagline" has "$first_page" "$(input tagline)"
ok "WordPress says that it is WordPress" has "$(curl -sI "$site/")" 'https://api.w.org/'
ok "Adminer answers (O1)" has "$(curl -s "$data/")" 'name="auth'
ok "the credentials lie in a file of the owner's" test "$(stat -c %a "$run/credentials")" = 600
picture() {
  rm -rf "$fleet/chromium" "$fleet/site.png"
  timeout 60 chromium --headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking \
    --disable-component-update --disable-sync --user-data-dir="$fleet/chromium" --window-size=1200,800 \
    --screenshot="$fleet/site.png" "$site/" >/dev/null 2>&1
  [ "$(stat -c %s "$fleet/site.png")" -gt 10000 ]
}
ok "a browser shows the site" picture
ok "run again it finds all there" bash -c "'$root/deploy/dev/demo' up | grep -c 'is running already' | grep -qx 2"
finish
