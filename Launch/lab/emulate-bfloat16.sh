#!/usr/bin/env bash
# Compares the AVX512-BF16 and AMX kernels of Sources/CKernels with the scalar and AVX2 kernels on a
# machine that does not have the instructions: they run on an emulated Sapphire Rapids (Bochs 3.0).
#
#   Launch/lab/emulate-bfloat16.sh [WORK]        WORK keeps the emulator; default: .build/emulator
#
# The emulator is Debian 13's, unpacked with its C library into WORK and started there: 60 MB to
# download, 200 MB on disk, half a minute the first time and then 3 to 12 s. Nothing is installed,
# and root is not needed. It starts an image of the kernel and emulator/, without an operating
# system.
#
# Prints a line for each shape. Status 1 if the bits of a product differ, 77 after a line that says
# why the comparison is impossible here.
set -euo pipefail
root=$(CDPATH='' cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=../usage.sh
. "$root/Launch/usage.sh"
sources=$root/Launch/lab/emulator
kernels=$root/Sources/CKernels
keyring=/usr/share/keyrings/debian-archive-keyring.gpg

skip() { echo "emulate-bfloat16: skipped: $*"; exit 77; }
fail() { echo "emulate-bfloat16: $*" >&2; exit 1; }

# install_emulator: unpacks Bochs and the packages that it needs into the folder root. apt-get works
# on its own lists here, and takes no part in the system's.
install_emulator() {
  local mirror apt
  [ -x root/usr/bin/bochs-bin ] && return
  mkdir -p lists/partial cache/archives/partial unpacked
  mirror=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/*.sources 2>/dev/null \
    | grep -oE 'https?://[^ ]+/debian/?( |$)' | head -n 1 || true)
  mirror=${mirror:-http://deb.debian.org/debian}
  echo "deb [arch=amd64 signed-by=$keyring] $mirror trixie main" >sources.list
  : >status
  apt=(apt-get -qq -o "Dir::Etc::sourcelist=$PWD/sources.list" -o Dir::Etc::sourceparts=-
    -o "Dir::State::lists=$PWD/lists" -o "Dir::State::status=$PWD/status" -o "Dir::Cache=$PWD/cache"
    -o APT::Architecture=amd64 -o APT::Install-Recommends=0 -o APT::Sandbox::User=root
    -o Acquire::Languages=none -o Acquire::http::Timeout=20 -o Acquire::https::Timeout=20)
  { "${apt[@]}" -o APT::Update::Error-Mode=any update \
    && "${apt[@]}" -y --download-only install bochs bochs-term bochsbios vgabios; } >apt.log 2>&1 \
    || skip "Debian's packages of Bochs cannot be downloaded; see $PWD/apt.log"
  find cache/archives -name '*.deb' -print0 | xargs -0 -P 4 -I{} dpkg-deb -x {} unpacked
  mv unpacked root
  rm -rf cache lists
}

# compile: makes the image, and the program `products` of the same sources for this machine.
compile() {
  local flags=(-O2 -Wall -Wextra -Werror -fno-stack-protector -I "$kernels/include")
  clang "${flags[@]}" "$sources/products.c" "$kernels"/*.c -lm -o products
  clang "${flags[@]}" -ffreestanding -fno-pic -DBARE_METAL -nostdlib -static -fuse-ld=lld \
    -Wl,-T,"$sources/image.ld" -Wl,--oformat=binary -Wl,--build-id=none \
    "$sources/boot.S" "$sources/products.c" "$kernels/avx512bf16.c" \
    "$kernels/amx.c" -o image
  truncate -s $((16 * 63 * 512)) image
}

# emulate: starts the image and prints what it writes. Bochs always ends with status 1.
emulate() {
  local libraries=$PWD/root/usr/lib/x86_64-linux-gnu
  rm -f image.lock
  LTDL_LIBRARY_PATH=$libraries/bochs/plugins timeout 120 "$libraries/ld-linux-x86-64.so.2" \
    --library-path "$libraries:$libraries/pulseaudio" root/usr/bin/bochs-bin -q \
    -f "$sources/bochsrc" </dev/null 2>bochs.errors | grep '^shape ' || true
}

# compare: prints each shape with the result of the comparison; status 1 unless all are equal.
compare() {
  awk -F ': ' '
    { checksum[FILENAME, $1] = $2; if (FILENAME == "scalar") shape[++count] = $1 }
    END {
      for (i = 1; i <= count; ++i) {
        s = shape[i]; expected = checksum["scalar", s]; result = "equal"
        if (checksum["avx2", s] != expected) result = "AVX2 DIFFERS"
        else if (checksum["emulated", s] == "") result = "NO RESULT of the emulator"
        else if (checksum["emulated", s] != expected) result = "THE EMULATOR DIFFERS"
        else if (checksum["other", s] == expected) result = "THE DATA DOES NOT REVEAL THE ORDER"
        print s ": " result
        equal += result == "equal"
      }
      exit !(count > 0 && equal == count)
    }' scalar avx2 emulated other
}

[ $# -le 1 ] || { print_usage >&2; exit 64; }
work=${1:-$root/.build/emulator}
[ "$(uname -sm)" = "Linux x86_64" ] || skip "it needs Linux on x86-64"
for tool in clang apt-get dpkg-deb; do
  command -v "$tool" >/dev/null || skip "there is no $tool"
done
[ -r "$keyring" ] || skip "there is no $keyring (package debian-archive-keyring)"
mkdir -p "$work"
cd "$work"
install_emulator
compile
for kernel in scalar avx2 other; do
  ./products "$kernel" >"$kernel" || skip "this processor lacks AVX2"
done
emulate >emulated
compare || fail "the kernels do not give the same bits; the emulator's log is $PWD/bochs.log"
echo "emulate-bfloat16: the same bits by AVX512-BF16 and AMX (emulated), AVX2 and scalar in $(wc -l <scalar) shapes"
