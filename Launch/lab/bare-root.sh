#!/usr/bin/env bash
# Tries a release on a system where nothing is installed: makes a bare Debian 12, unpacks the release
# in it and runs its quickstart, which installs MPI and OpenBLAS. Needs root, debootstrap, a network
# and 1 GB of disk.
#
#   Launch/lab/bare-root.sh ARCHIVE FOLDER [OPTIONS]
#
# ARCHIVE is a file of release.sh, FOLDER becomes the root file system, and OPTIONS are those of
# `electra pretrain`, such as --steps 400. The program's folder in it is /ELECTRA-VERSION...; to go
# on there:
#
#   Launch/lab/in-root.sh FOLDER bash
set -euo pipefail
here=$(CDPATH='' cd "$(dirname "$0")" && pwd)
# shellcheck source=../usage.sh
. "$here/../usage.sh"
fail() { echo "bare-root.sh: $2" >&2; exit "$1"; }
[ $# -ge 2 ] || { print_usage >&2; exit 64; }
archive=$1 folder=$2
shift 2
[ -f "$archive" ] || fail 66 "there is no archive $archive"
[ ! -e "$folder" ] || fail 73 "$folder exists; give another folder"
[ "$(id -u)" -eq 0 ] || fail 77 "debootstrap needs root"
command -v debootstrap >/dev/null || fail 69 "the command debootstrap is missing; install it"
log=$(mktemp)
trap 'rm -f "$log"' EXIT

echo "=== a bare Debian 12 in $folder"
debootstrap --variant=minbase bookworm "$folder" >"$log" 2>&1 \
  || { tail -n 5 "$log" >&2; fail 69 "debootstrap failed; its last lines are above"; }
top=$(tar -tzf "$archive" | sed -n '1s|/.*||p')
tar -xzf "$archive" -C "$folder" --no-same-owner
"$here/in-root.sh" "$folder" sh -euc '
  cd "/$0"
  ! command -v swift || exit 1
  echo "=== $(. /etc/os-release && echo "$PRETTY_NAME"), $(dpkg-query -f "\n" -W | wc -l) packages, no Swift"
  sha256sum --quiet --check SHA256SUMS
  cat RELEASE
  apt-get -qq update
  echo "=== quickstart"
  Launch/quickstart.sh /quickstart "$@"' "$top" "$@"
