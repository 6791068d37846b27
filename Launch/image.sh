#!/usr/bin/env bash
# Builds a root file system with a release and all that it needs (Debian 12, MPI, OpenBLAS), for
# clusters whose system is older than the release.
#
#   Launch/image.sh ARCHIVE FOLDER [MIRROR]
#
# ARCHIVE is a file of release.sh; the packages are those of packages.txt. FOLDER becomes the root
# file system; the release is its /opt/electra, and `electra` is on the PATH. Debian is downloaded
# from MIRROR, by default http://deb.debian.org/debian. Needs root and debootstrap; using the image
# on a cluster needs neither:
#
#   apptainer exec FOLDER electra --version
#   apptainer exec FOLDER /opt/electra/Launch/mpirun.sh -np 2 pretrain --data data --output run
#
# To copy it as one file: tar --numeric-owner -czf electra-root.tar.gz -C FOLDER .
set -euo pipefail
here=$(CDPATH='' cd "$(dirname "$0")" && pwd)
# shellcheck source=usage.sh
. "$here/usage.sh"
fail() { echo "image.sh: $2" >&2; exit "$1"; }
[ $# -eq 2 ] || [ $# -eq 3 ] || { print_usage >&2; exit 64; }
archive=$1 folder=${2%/} mirror=${3:-http://deb.debian.org/debian}
[ -f "$archive" ] || fail 66 "there is no archive $archive"
tar -tzf "$archive" 2>/dev/null | grep '^[^/]*/bin/electra$' >/dev/null \
  || fail 65 "$archive is not a release: it has no bin/electra"
[ ! -e "$folder" ] || fail 73 "$folder exists; give another folder"
[ ! -e "$folder.partial" ] || fail 73 "$folder.partial exists; remove it, or give another folder"
[ "$(id -u)" -eq 0 ] || fail 77 "debootstrap needs root"
command -v debootstrap >/dev/null || fail 69 "the command debootstrap is missing; install it"

packages=$(awk '$1 == "run" { print $2 }' "$here/packages.txt" | paste -sd ,)
partial=$folder.partial
log=$(mktemp)
trap 'rm -rf --one-file-system "$log" "$partial"' EXIT
echo "image.sh: Debian 12 with ${packages//,/, }"
debootstrap --variant=minbase --include="$packages" bookworm "$partial" "$mirror" >"$log" 2>&1 \
  || { tail -n 5 "$log" >&2; fail 69 "debootstrap failed; its last lines are above"; }
rm -rf "$partial"/var/cache/apt/archives/*.deb "$partial"/var/lib/apt/lists/*
mkdir -p "$partial/opt/electra"
tar -xzf "$archive" -C "$partial/opt/electra" --strip-components=1 --no-same-owner
(cd "$partial/opt/electra" && sha256sum --quiet --check SHA256SUMS)
ln -s /opt/electra/bin/electra "$partial/usr/local/bin/electra"
"$here/lab/in-root.sh" "$partial" electra --version
mv "$partial" "$folder"
echo "image.sh: $folder ($(du -sh "$folder" | cut -f 1))"
