# The base image of every build, in our registry: Docker Hub's Debian where it can be had, else one from debootstrap.
# shellcheck shell=bash disable=SC2034,SC2154
base_suite=bookworm
base_name=fairlead/base
base_dir=$(place base)
base_digest_file=$run/base.digest
base_log=$base_dir/base.log
base_programs='debootstrap:debootstrap tar:tar'
base_deb822=/etc/apt/sources.list.d/debian.sources
base_accept='Accept: application/vnd.docker.distribution.manifest.v2+json'

base_reference() { echo "127.0.0.1:$registry_port/$base_name"; }

# The registry knows; an imported image has no digest before it is pushed.
base_digest() {
  curl -sfI -m 5 -H "$base_accept" "http://127.0.0.1:$registry_port/v2/$base_name/manifests/$base_suite" |
    tr -d '\r' | awk 'tolower($1) == "docker-content-digest:" { print $2 }'
}

base_ready() {
  local digest
  [ -s "$base_digest_file" ] && digest=$(base_digest) && [ "$digest" = "$(first_line "$base_digest_file")" ]
}

base_up() {
  local digest
  mkdir -p "$base_dir"
  digest=$(base_digest) || digest=
  if [ -z "$digest" ]; then
    : >"$base_log"
    base_load || base_pull || base_bootstrap
    engine push "$(base_reference):$base_suite" >>"$base_log" 2>&1 || failed base "could not be pushed to the registry"
    digest=$(base_digest) || failed base "is not in the registry after the push"
  fi
  echo "$digest" >"$base_digest_file"
}

# Without these settings each apt layer of a build keeps 100 to 230 MB of package cache.
base_apt_settings() {
  cat <<'EOF'
Dir::Cache::pkgcache "";
Dir::Cache::srcpkgcache "";
DPkg::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb /var/cache/apt/archives/partial/*.deb || true"; };
APT::Update::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb /var/cache/apt/archives/partial/*.deb || true"; };
APT::Install-Recommends "false";
EOF
}

# Of somebody who had a network: tests run a second stack without one.
base_load() { [ -n "${FAIRLEAD_BASE_IMAGE:-}" ] && engine_on "$(docker_socket)" 120 load -q -i "$FAIRLEAD_BASE_IMAGE" >>"$base_log" 2>&1; }

base_pull() {
  engine_on "$(docker_socket)" 10 pull -q "debian:$base_suite-slim" >>"$base_log" 2>&1 || return 1
  local context=$base_dir/context
  mkdir -p "$context"
  base_apt_settings >"$context/90fairlead"
  cat >"$context/Dockerfile" <<EOF
FROM debian:$base_suite-slim
COPY 90fairlead /etc/apt/apt.conf.d/90fairlead
RUN apt-get update && apt-get install -y ca-certificates && rm -rf /var/lib/apt/lists/*
CMD ["/bin/bash"]
EOF
  engine build -q -t "$(base_reference):$base_suite" "$context" >>"$base_log" 2>&1
}

base_bootstrap() {
  local tar
  # The cache outlives the run folder, so its name says what it was made from.
  tar=$cache/base-$base_suite-$( (base_apt_settings; base_sources) | sha256sum | cut -c1-12).tar
  if [ ! -s "$tar" ]; then base_make_tar "$tar" >>"$base_log" 2>&1 || failed base "could not be made by debootstrap"; fi
  engine import -c 'CMD ["/bin/bash"]' "$tar" "$(base_reference):$base_suite" >>"$base_log" 2>&1 ||
    failed base "could not be imported into the Engine"
}

# The machine's own release, whose sources are written for the suite of the image.
# shellcheck disable=SC1091
base_machine_suite() { (. /etc/os-release && echo "${VERSION_CODENAME:-$base_suite}"); }

# The mirror is the one that apt of this machine uses; if it has none (not Debian), debootstrap's default.
base_mirror() {
  # shellcheck disable=SC2016
  apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' 'Identifier: Packages' 2>/dev/null |
    awk -v own="$(base_machine_suite)" '$2 == own && $3 == "main" { print $1; exit }'
}

# Debian's own sources only: those of others need keys that the image does not have.
base_sources() {
  { cat "$base_deb822" 2>/dev/null || cat /etc/apt/sources.list 2>/dev/null || true; } |
    sed "s/\b$(base_machine_suite)\b/$base_suite/g"
}

base_make_tar() {
  local tar=$1 root=$base_dir/root mirror
  mirror=$(base_mirror)
  mkdir -p "$cache"
  rm -rf "$root"
  debootstrap --variant=minbase --include=ca-certificates "$base_suite" "$root" ${mirror:+"$mirror"} &&
    base_configure "$root/etc/apt" "$mirror" &&
    rm -rf "$root"/var/lib/apt/lists/* "$root"/var/cache/apt/*.bin "$root"/var/cache/apt/archives/*.deb &&
    tar -C "$root" --numeric-owner --one-file-system -cf "$tar.part" . &&
    mv "$tar.part" "$tar" &&
    rm -rf "$root"
}

# base_configure FOLDER MIRROR: builds inside reach the mirror that the machine reaches.
base_configure() {
  local apt=$1 key
  base_apt_settings >"$apt/apt.conf.d/90fairlead"
  # A mirror that stands still needs these on the machine, and so in the image.
  for key in Acquire::Check-Valid-Until Acquire::Check-Date; do
    apt-config dump --no-empty --format '%F "%v";%n' "$key" >>"$apt/apt.conf.d/90fairlead"
  done
  [ -n "$2" ] || return 0
  rm -f "$apt/sources.list"
  base_sources >"$apt/sources.list.d/$(if [ -e "$base_deb822" ]; then echo debian.sources; else echo debian.list; fi)"
}

base_down() { :; }
base_address() {
  local digest
  digest=$(first_line "$base_digest_file")
  echo "$(base_reference)@${digest:-(not made yet)}"
}
base_env() { if [ -s "$base_digest_file" ]; then export_line FAIRLEAD_BASE "$(base_reference)@$(first_line "$base_digest_file")"; fi; }
