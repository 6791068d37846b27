#!/usr/bin/env bash
# Builds the program for hosts without a Swift toolchain, and prints which libraries it needs there.
#
#   Launch/build.sh [FILE]                       the program, by default ./electra
#   MPI_PKG=mpich Launch/build.sh electra-mpich  with MPICH instead of Open MPI
#   ELECTRA_MARCH=native Launch/build.sh         for this type of processor only
#
# Swift's libraries are linked statically. At run time the program needs libmpi, libopenblas, and
# the system's C and C++ libraries. Their glibc must be at least as new as here: build on the oldest
# host.
#
# To use MPI and OpenBLAS from modules, or from your own folders without being root: PKG_CONFIG_PATH
# must name the folders with ompi-c.pc (or mpich.pc) and openblas.pc, which `module load` does on
# most clusters. The program records their library folders, so it finds them without
# LD_LIBRARY_PATH.
set -euo pipefail
root=$(CDPATH='' cd "$(dirname "$0")/.." && pwd)
# shellcheck source=usage.sh
. "$root/Launch/usage.sh"
output=$(realpath -m "${1:-electra}")
mpi=${MPI_PKG:-ompi-c}
fail() { echo "build.sh: $2" >&2; exit "$1"; }
[ ! -d "$output" ] || fail 73 "$output is a folder; give a file"
# Checked before the build, which takes minutes.
[ -d "${output%/*}/" ] || fail 66 "there is no folder ${output%/*}"
for tool in swift pkg-config readelf; do
  command -v "$tool" >/dev/null || fail 69 "the command $tool is missing; run Launch/setup.sh"
done
for package in "$mpi" openblas; do
  pkg-config --exists "$package" \
    || fail 69 "pkg-config finds no $package.pc; load its module, set PKG_CONFIG_PATH, or as root run Launch/setup.sh"
done

paths=()
for folder in $(pkg-config --libs-only-L "$mpi" openblas); do
  paths+=(-Xlinker -rpath -Xlinker "${folder#-L}")
done
cd "$root"
# A separate folder for each MPI: their object files are incompatible.
swift build -c release --product electra --static-swift-stdlib --scratch-path ".build/static-$mpi" "${paths[@]}"
install -m 755 ".build/static-$mpi/release/electra" "$output"

missing=$(ldd "$output" | grep 'not found' || true)
[ -z "$missing" ] || fail 69 "the program cannot find${missing//$'\t'/ }"
echo "$output needs at run time: $(readelf -d "$output" | sed -n 's/.*NEEDED.*\[\(.*\)\]/\1/p' | tr '\n' ' ')"
"$output" --version
