#!/usr/bin/env bash
# Installs the system packages that electra needs (Debian, Ubuntu), and prints their names: those of
# packages.txt to run it, and in a clone also those to build it.
#
#   Launch/setup.sh [PACKAGE...]                 also installs these packages
#
# Root installs; for other users it prints the command to install and fails with status 69. A clone
# needs a Swift toolchain (6.1 or newer) on the PATH, which is not a Debian package:
# https://www.swift.org/install/linux
set -euo pipefail
here=$(CDPATH='' cd "$(dirname "$0")" && pwd)
# shellcheck source=usage.sh
. "$here/usage.sh"

fail() { echo "setup: $1" >&2; exit 69; }
command -v dpkg-query >/dev/null \
  || fail "this is not Debian or Ubuntu; install the packages of $here/packages.txt under their names here"

# Only a clone has a manifest; an unpacked release has a program.
needs=run
[ ! -e "$here/../Package.swift" ] || needs='run|build'
mapfile -t packages < <(awk -v needs="^($needs)$" '$1 ~ needs { print $2 }' "$here/packages.txt")
missing=()
for package in "${packages[@]}" "$@"; do
  state=$(dpkg-query -W -f '${Status}' "$package" 2>/dev/null || true)
  [ "$state" = "install ok installed" ] || missing+=("$package")
done

if [ "$needs" != run ] && ! command -v swift >/dev/null; then
  fail "there is no Swift toolchain on the PATH; see https://www.swift.org/install/linux"
fi
if [ ${#missing[@]} -eq 0 ]; then
  echo "setup: nothing to install"
  exit 0
fi
if [ "$(id -u)" -ne 0 ]; then
  echo "setup: these packages are missing: ${missing[*]}" >&2
  fail "ask root for: apt-get install --no-install-recommends ${missing[*]}"
fi
echo "setup: installing ${missing[*]}"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
apt=(apt-get -o DPkg::Lock::Timeout=300 -qq)
if ! { "${apt[@]}" update && DEBIAN_FRONTEND=noninteractive \
       "${apt[@]}" install -y --no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
  tail -n 20 "$log" >&2
  fail "apt-get failed; its last lines are above"
fi
echo "setup: done"
