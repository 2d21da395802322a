# What the entry points share: where things are, what must be installed, how to build. Sourced, not run.
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
build=${NANODAY_BUILD:-$root/build}
jobs=${NANODAY_JOBS:-$(nproc)}

say() { printf '%s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

# One line per need: how to see that it is there (a command or a package), the package, what for.
needs() {
  cat <<'LIST'
command:cmake     cmake                  configures the build
command:ninja     ninja-build            runs the build
command:protoc    protobuf-compiler      turns the model file's message description into C++
command:python3   python3                style checks and the summary of the tests
command:mpirun    openmpi-bin            starts several ranks
package           libopenmpi-dev         lets ranks talk to each other
package           libprotobuf-dev        reads model files
package           libopenblas-dev        matrix products
package           libfftw3-dev           Fourier transforms
package           libfmt-dev             formats text
package           libcli11-dev           parses the command line
package           libtomlplusplus-dev    parses run.toml
package           nlohmann-json3-dev     writes JSON
package           libgtest-dev           tests
package           libboost-context-dev   tests of the CUDA kernels without a GPU: their threads are fibers
LIST
}

# The same for the cross build for ARM (preset sve).
cross_needs() {
  cat <<'LIST'
command:aarch64-linux-gnu-g++  g++-aarch64-linux-gnu  compiles for ARM
command:qemu-aarch64           qemu-user              runs what was compiled for ARM
LIST
}

installed() { [ "$(dpkg-query -W -f='${Status}' "$1" 2>/dev/null)" = "install ok installed" ]; }

# The first g++ of version 12 or later; the caller's CXX goes first.
find_compiler() {
  local candidate version
  for candidate in ${CXX:-} g++ g++-15 g++-14 g++-13 g++-12; do
    command -v "$candidate" >/dev/null || continue
    version=$("$candidate" -dumpversion)
    if [ "${version%%.*}" -ge 12 ]; then
      echo "$candidate"
      return
    fi
  done
}

# Ubuntu 22.04's own g++ is version 11; its g++-12 package is new enough.
compiler_package() {
  if [ "$(. /etc/os-release 2>/dev/null && echo "${ID:-} ${VERSION_ID:-}")" = "ubuntu 22.04" ]; then
    echo g++-12
  else
    echo g++
  fi
}

# Prints "package<TAB>what for" for everything that is not there, of the lists named.
missing() {
  local see package purpose list
  [ -n "$(find_compiler)" ] || printf '%s\t%s\n' "$(compiler_package)" "C++20 compiler, version 12 or later"
  while read -r see package purpose; do
    case $see in
      command:*) command -v "${see#command:}" >/dev/null && continue ;;
      package) installed "$package" && continue ;;
    esac
    printf '%s\t%s\n' "$package" "$purpose"
  done < <(for list in "$@"; do "$list"; done)
}

# Runs a command as root, through sudo when we are not; fails when neither is possible.
as_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  elif [ -t 0 ]; then
    sudo "$@"
  else
    sudo -n "$@"
  fi
}

can_be_root() {
  [ "$(id -u)" = 0 ] && return
  command -v sudo >/dev/null || return 1
  [ -t 0 ] || sudo -n true 2>/dev/null
}

# Ends with a sentence when this release has no such package.
check_available() {
  local package policy
  for package in "$@"; do
    # Not through a pipe: grep -q leaves early, and apt-cache would fail at writing the rest.
    policy=$(LC_ALL=C apt-cache policy "$package" 2>/dev/null) || policy=
    grep -q 'Candidate: [0-9]' <<<"$policy" && continue
    die "The package $package is not in this system's sources ($(. /etc/os-release && echo "$PRETTY_NAME")).
Debian 12 and Ubuntu 24.04 (with its universe component) have it; on others install that library by hand."
  done
}

# install_missing [needs cross_needs]: installs what is missing with apt; touches nothing when nothing is.
install_missing() {
  if ! command -v dpkg-query >/dev/null; then
    say "This is not a Debian or Ubuntu system, so nothing is installed; the build will say what it lacks."
    return
  fi
  local lines packages package purpose
  lines=$(missing "${@:-needs}")
  [ -n "$lines" ] || return 0
  mapfile -t packages < <(cut -f1 <<<"$lines")
  say "These packages are missing:"
  while IFS=$'\t' read -r package purpose; do
    say "$(printf '  %-22s %s' "$package" "$purpose")"
  done <<<"$lines"
  local install=(apt-get install -y --no-install-recommends "${packages[@]}")
  can_be_root || die "Installing them needs root, and there is neither root nor sudo here. Have someone run:
  apt-get update && ${install[*]}"
  say "Installing them: ${install[*]}"
  as_root apt-get -q update >&2
  check_available "${packages[@]}"
  as_root env DEBIAN_FRONTEND=noninteractive "${install[@]}" >&2
}

# Configures once, then builds the targets named (all without any).
build_targets() {
  local compiler target arguments=()
  if [ ! -f "$build/build.ninja" ]; then
    compiler=$(find_compiler)
    [ -n "$compiler" ] || die "No g++ of version 12 or later was found; install one or set CXX."
    cmake -S "$root" -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DNANODAY_TESTS=ON \
      -DCMAKE_CXX_COMPILER="$compiler"
  fi
  for target in "$@"; do arguments+=(--target "$target"); done
  cmake --build "$build" -j "$jobs" "${arguments[@]}"
}
