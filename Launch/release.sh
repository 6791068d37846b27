#!/usr/bin/env bash
# Makes an archive for hosts without a Swift toolchain: the program with Swift's libraries inside,
# Launch, the guide, licences and checksums.
#
#   Launch/release.sh [FOLDER]        writes electra-VERSION-linux-x86_64.tar.gz and a file with its
#                                     checksum into FOLDER; default: the current folder
#
# The file RELEASE in the archive, which is also printed, says what a host must have: the oldest
# glibc and libstdc++ (the highest versions of symbols in the program), processor and libraries.
# MPI_PKG and ELECTRA_MARCH are those of build.sh, which makes the program; ELECTRA_PROGRAM names
# one that it has made. The same commit and program give the same bytes.
set -euo pipefail
root=$(CDPATH='' cd "$(dirname "$0")/.." && pwd)
here=$root/Launch
# shellcheck source=usage.sh
. "$here/usage.sh"
output=${1:-.}
fail() { echo "release.sh: $2" >&2; exit "$1"; }
[ -d "$output" ] || fail 66 "there is no folder $output"
for tool in readelf python3 swift; do
  command -v "$tool" >/dev/null || fail 69 "the command $tool is missing; run Launch/setup.sh"
done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

program=${ELECTRA_PROGRAM:-$work/electra}
[ -n "${ELECTRA_PROGRAM:-}" ] || "$here/build.sh" "$program"
[ -f "$program" ] && [ -x "$program" ] || fail 66 "there is no program $program"
version=$("$program" --version | sed -n '1s/^electra //p')
[ -n "$version" ] || fail 65 "$program is not electra: its --version does not say so"
libraries=$(readelf -d "$program" | sed -n 's/.*NEEDED.*\[\(.*\)\]/\1/p')
swift_library=$(grep -m 1 -i -e swift -e Foundation <<<"$libraries" || true)
[ -z "$swift_library" ] || fail 65 "$program needs $swift_library at run time; make it with Launch/build.sh"

# newest PREFIX: prints the highest version of the symbols that the program takes from a library,
# nothing if it takes none.
newest() { readelf -W --dyn-syms "$program" | sed -nE "s/.*@$1_([0-9.]+).*/\1/p" | sort -V | tail -n 1; }

# describe: prints the contents of RELEASE.
describe() {
  local commit march=${ELECTRA_MARCH:-x86-64-v3} libstdcxx
  commit=$(git -C "$root" describe --always --dirty 2>/dev/null || echo unknown)
  libstdcxx=$(newest GLIBCXX)
  [ "$march" != x86-64-v3 ] || march="x86-64-v3 (AVX2 and FMA: Intel Haswell, AMD Excavator or newer)"
  cat <<TEXT
electra $version for Linux on x86-64, commit $commit

processor   $march
glibc       $(newest GLIBC) or newer (ldd --version)
${libstdcxx:+libstdc++   GLIBCXX_$libstdcxx or newer
}libraries   $(paste -sd ' ' <<<"$libraries")
built with  $(swift --version 2>/dev/null | sed -n 's/.*\(Swift version [^ ]*\).*/\1/p'), $("$program" --version | sed -n '2,3{s/ NO_LAPACKE.*//;p}' | paste -sd , | sed 's/,/, /g')

Start: Launch/setup.sh installs MPI and OpenBLAS (Debian, Ubuntu), Launch/quickstart.sh trains a
model, and bin/electra is the program. README.md and guide/ describe it.
TEXT
}

# copy_launch FOLDER: copies Launch without the scripts that need the sources.
copy_launch() {
  (cd "$here" && find . -type f ! -name '*.pyc' ! -path './docs/*' ! -path './licences/*' \
    ! -path './lab/emulat*' ! -name build.sh ! -name release.sh ! -name docs.sh ! -name test.sh \
    ! -name electra.def -print0 | sort -z | xargs -0 cp --parents -t "$1")
}

# copy_licences FOLDER: copies the licences of the libraries inside of the program.
copy_licences() {
  local toolchain parser=$root/.build/static-${MPI_PKG:-ompi-c}/checkouts/swift-argument-parser
  # `swift` may be a link to another program, such as that of swiftly.
  toolchain=$(swift -print-target-info | sed -n 's|.*"runtimeResourcePath": "\(.*\)/lib/swift".*|\1|p')
  [ -e "$parser" ] || parser=$root/.build/checkouts/swift-argument-parser
  cp "$toolchain/share/swift/LICENSE.txt" "$1/Swift.txt"
  cp "$parser/LICENSE.txt" "$1/swift-argument-parser.txt"
  cp "$here"/licences/* "$1"
}

name=electra-$version-linux-x86_64${MPI_PKG:+-$MPI_PKG}
top=$work/$name
mkdir -p "$top/bin" "$top/Launch" "$top/licences"
install -m 755 "$program" "$top/bin/electra"
cp "$root/LICENSE" "$top"
copy_launch "$top/Launch"
copy_licences "$top/licences"
python3 -B "$here/docs/archive.py" "$root" "$top"
describe >"$top/RELEASE"
# In the same order in every locale.
(cd "$top" && find . -type f ! -name SHA256SUMS -print0 | LC_ALL=C sort -z | xargs -0 sha256sum >SHA256SUMS)

# Order, times, owners and modes of the files do not depend on the clock or the user.
time=$(git -C "$root" log -1 --format=%ct 2>/dev/null || echo 0)
tar --create --directory "$work" --sort=name --mtime="@${SOURCE_DATE_EPOCH:-$time}" --owner=0 --group=0 \
  --numeric-owner --mode=u=rwX,go=rX --format=ustar "$name" | gzip -n -9 >"$work/archive"
mv "$work/archive" "$output/$name.tar.gz"
(cd "$output" && sha256sum "$name.tar.gz" >"$name.tar.gz.sha256")
chmod 644 "$output/$name.tar.gz" "$output/$name.tar.gz.sha256"
cat "$top/RELEASE"
echo
echo "$output/$name.tar.gz"
