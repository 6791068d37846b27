#!/usr/bin/env bash
# Builds the program for hosts without a Swift toolchain, and says what it needs there.
#
#   Launch/build.sh [FILE]                       the program, by default ./electra
#   MPI_PKG=mpich Launch/build.sh electra-mpich  against MPICH instead of Open MPI
#   ELECTRA_MARCH=native Launch/build.sh         for this processor's type alone
#
# Swift's libraries go into the program; at run time it needs libmpi, libopenblas and the C and C++
# libraries of the system. glibc must be no older than here: build on the oldest host.
#
# MPI and OpenBLAS of modules or of one's own, where nobody is root: PKG_CONFIG_PATH names the folders
# with ompi-c.pc (or mpich.pc) and openblas.pc, which `module load` does on most clusters. Their library
# folders are written into the program, so that it finds them without LD_LIBRARY_PATH.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
output=$(realpath -m "${1:-electra}")
mpi=${MPI_PKG:-ompi-c}
[ ! -d "$output" ] || { echo "build.sh: $output is a folder; name a file" >&2; exit 73; }
for package in "$mpi" openblas; do
  pkg-config --exists "$package" || {
    echo "build.sh: pkg-config finds no $package.pc; load its module, set PKG_CONFIG_PATH, or as root run Launch/setup.sh" >&2
    exit 69
  }
done

paths=()
for folder in $(pkg-config --libs-only-L "$mpi" openblas); do
  paths+=(-Xlinker -rpath -Xlinker "${folder#-L}")
done
cd "$root"
# A folder of its own for each MPI: objects of one do not go with the other's.
swift build -c release --product electra --static-swift-stdlib --scratch-path ".build/static-$mpi" "${paths[@]}"
install -m 755 ".build/static-$mpi/release/electra" "$output"

missing=$(ldd "$output" | grep 'not found' || true)
[ -z "$missing" ] || { echo "build.sh: the program does not find${missing//$'\t'/ }" >&2; exit 69; }
echo "$output needs at run time: $(readelf -d "$output" | sed -n 's/.*NEEDED.*\[\(.*\)\]/\1/p' | tr '\n' ' ')"
"$output" --version
