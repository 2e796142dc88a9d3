# Shared by ./quickstart, ./check and scripts/fuzz: packages, the user to work as, the build. Sourced by bash.
set -o pipefail

build_packages=(g++ cmake ninja-build libboost-url1.81-dev libboost-test1.81-dev libssl-dev libsqlite3-dev
    libmimalloc-dev libtomlplusplus-dev prometheus-cpp-dev libunbound-dev libidn2-dev libunistring-dev
    libpsl-dev libargon2-dev publicsuffix libpq-dev rapidjson-dev libcli11-dev libsystemd-dev libcurl4-openssl-dev)
client_packages=(certbot lego strongswan-pki libstrongswan-standard-plugins libstrongswan-extra-plugins openssl curl python3)
package_packages=(dpkg-dev file)
test_packages=(dehydrated uacme acme-tiny acmetool caddy apache2-bin nodejs npm pebble python3-jsonschema python3-yaml  # ACME clients and what they are judged by
    certmonger scep python3-pytest python3-cryptography unbound systemd faketime jq postgresql-15
    wget ecj openjdk-17-jre-headless libbcpkix-java libbctls-java  # BouncyCastle's EST client
    "${package_packages[@]}")  # tests/packaging makes the package
fuzz_packages=(clang-14 libclang-rt-14-dev llvm-14)

# A terminal's environment may name proxies and trust stores; everything here talks to this machine
# alone and names its own root.
local_environment=(env -u http_proxy -u https_proxy -u all_proxy -u HTTP_PROXY -u HTTPS_PROXY -u ALL_PROXY
    -u SSL_CERT_FILE -u SSL_CERT_DIR -u CURL_CA_BUNDLE -u REQUESTS_CA_BUNDLE LC_ALL=C.UTF-8)

say() { printf '%s\n' "== $*"; }
warn() { printf '%s\n' "$me: $*" >&2; }
die() { warn "$*"; exit 1; }

# ---- packages -----------------------------------------------------------------------------------

missing_packages() {
    local package
    for package in "$@"; do
        [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || provided "$package" || printf '%s\n' "$package"
    done
}

# Whether an installed package of another name is it too: the nodejs of others has npm in it, and refuses Debian's.
provided() {
    dpkg-query -W -f '${db:Status-Status}, ${Provides},\n' | grep -E "^installed,(.*,)? $1( \([^)]*\))?," >/dev/null
}

# One line a hundred steps of apt's, so that a slow mirror does not look like a hang.
apt_progress() {
    awk '/^(Get:|Unpacking |Setting up )/ { if (++n % 100 == 0) { print "   " n " steps (downloads, unpacking, set-up)"; fflush() } }
         /^(E:|W:|Err:)/ { print "   " $0; fflush() }'
}

# Some packages start a service when they are installed: PostgreSQL a cluster that it makes, Caddy a web server on port 80,
# acmetool a timer. The tests start what they need by themselves, so during the installation these are told not to.
main_cluster_setting=/etc/postgresql-common/createcluster.d/postern-no-main-cluster.conf
units=/etc/systemd/system
declare -A started_by=([caddy]=multi-user.target.wants/caddy.service [acmetool]=timers.target.wants/acmetool.timer)
masked=()
as_root() { if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi; }
# without_services PACKAGE…: those that are about to be installed.
without_services() {
    local package unit
    for package in "$@"; do
        case $package in postgresql-*)
            as_root mkdir -p "${main_cluster_setting%/*}"
            printf 'create_main_cluster = off\n' | as_root tee "$main_cluster_setting" >/dev/null ;;
        esac
        unit=${started_by[$package]-}
        [ -n "$unit" ] && [ ! -e "$units/${unit##*/}" ] && [ ! -L "$units/${unit##*/}" ] || continue
        as_root mkdir -p "$units" && as_root ln -s /dev/null "$units/${unit##*/}" && masked+=("$unit")
    done
}
forget_services() {
    local unit
    [ ! -e "$main_cluster_setting" ] || as_root rm -f "$main_cluster_setting"
    for unit in "${masked[@]}"; do as_root rm -f "$units/${unit##*/}" "$units/$unit"; done
    masked=()
}

# install_missing WHAT PACKAGE…: nothing is asked of the network when nothing is missing.
install_missing() {
    local what=$1 missing log
    shift
    mapfile -t missing < <(missing_packages "$@")
    [ ${#missing[@]} -gt 0 ] || return 0
    if [ -r /etc/os-release ] && ! grep -q '^VERSION_ID="12"' /etc/os-release; then
        warn "this is made for Debian 12 and its packages; $(. /etc/os-release; printf '%s' "$PRETTY_NAME") may lack some"
    fi
    say "Installing $what with apt-get: ${missing[*]}"
    local apt=(env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o Dpkg::Use-Pty=0)
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null || die "packages are missing and only root can install them: run this as root, or install: ${missing[*]}"
        apt=(sudo "${apt[@]}")
    fi
    log=$(mktemp)
    local failed=no traps
    traps=$(trap -p EXIT INT TERM)
    # Whatever ends this, the machine's next services start as usual.
    trap forget_services EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
    without_services "${missing[@]}"
    { "${apt[@]}" update && "${apt[@]}" install --no-install-recommends "${missing[@]}"; } </dev/null 2>&1 |
        tee "$log" | apt_progress || failed=yes
    forget_services
    trap - EXIT INT TERM
    eval "$traps"
    if [ "$failed" = yes ]; then
        tail -n 15 "$log" >&2
        die "apt-get could not install the packages (its output is in $log)"
    fi
    rm -f "$log"
}

# node's acme-client, from the registry that npm is set to: the lock names versions and hashes, and no host. Nothing is asked
# of the network when what it names is there.
install_node_client() {
    local from=conformance/acme/node to=build/conformance/node
    ! cmp -s "$from/package-lock.json" "$to/installed.json" || return 0
    say "Installing node's acme-client with npm"
    "${owner[@]}" mkdir -p "$to" && "${owner[@]}" cp "$from/package.json" "$from/package-lock.json" "$to" &&
        (cd "$to" && "${owner[@]}" npm ci --ignore-scripts --no-audit --no-fund --loglevel=error </dev/null) &&
        "${owner[@]}" cp "$from/package-lock.json" "$to/installed.json" || die "npm could not install acme-client (see above)"
}

# ---- the user to work as ------------------------------------------------------------------------

# Under sudo, the build and the servers belong to the person who called, unless the tree is not
# theirs to write in. setpriv executes in place, so the process id is the program's own.
owner=()
owner_name=$(id -un)
choose_owner() {
    local user=${SUDO_USER-} home
    [ "$(id -u)" -eq 0 ] && [ -n "$user" ] && [ "$user" != root ] || return 0
    home=$(getent passwd "$user" | cut -d: -f6)
    [ -n "$home" ] || return 0
    local as=(setpriv --reuid="$user" --regid="$(id -g "$user")" --init-groups env HOME="$home" USER="$user" LOGNAME="$user")
    local folder
    for folder in "$root" "$root/build" "$root/build/release" "$root/postern-data"; do
        [ ! -e "$folder" ] || "${as[@]}" test -w "$folder" || return 0
    done
    owner=("${as[@]}")
    owner_name=$user
}

# A fresh folder that belongs to whoever the servers run as.
scratch_folder() {
    "${owner[@]}" mktemp -d "${TMPDIR:-/tmp}/postern-$1.XXXXXX"
}

# ---- the build ----------------------------------------------------------------------------------

# Transport units take over a gigabyte each: cores or memory, whichever is scarcer.
build_jobs() {
    local cores memory
    cores=$(nproc)
    memory=$(awk '/^MemTotal:/ { print int($2 / 1500000) }' /proc/meminfo)
    [ "$memory" -ge 1 ] || memory=1
    printf '%s\n' "$((cores < memory ? cores : memory))"
}

# build_release [TARGET…]: all targets when none is named.
build_release() {
    local start=$SECONDS jobs targets=()
    jobs=$(build_jobs)
    [ $# -eq 0 ] || targets=(--target "$@")
    if [ ! -f build/release/build.ninja ]; then
        say "Configuring build/release"
        "${owner[@]}" cmake --preset release || die "CMake could not configure the release preset (see above)"
    fi
    say "Building build/release with $jobs jobs (the first time takes minutes)"
    "${owner[@]}" env NINJA_STATUS='[%f/%t %es] ' cmake --build --preset release -j "$jobs" "${targets[@]}" ||
        die "the build failed (see above)"
    say "Built in $((SECONDS - start)) s"
}

# ---- servers ------------------------------------------------------------------------------------

free_port() {
    /usr/bin/python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# json_field FILE KEY…
json_field() {
    /usr/bin/python3 -c '
import json, sys
value = json.load(open(sys.argv[1]))
for key in sys.argv[2:]:
    value = value[key]
print(value)' "$@"
}

# stop_server PID: SIGTERM, a bounded wait, and the exit status. Only for a child of this shell.
stop_server() {
    local pid=$1 i
    kill -TERM "$pid" 2>/dev/null
    for ((i = 0; i < 600; i++)); do
        # A child that ended stays a zombie until it is waited for.
        case $(sed 's/.*) //' "/proc/$pid/stat" 2>/dev/null) in Z* | '') break ;; esac
        sleep 0.1
    done
    kill -KILL "$pid" 2>/dev/null
    wait "$pid"
}
