#!/usr/bin/env bash
# Runs a command in a root file system, such as one of image.sh, with this machine's devices and
# network. Needs root. Mounts and processes end with the command.
#
#   Launch/lab/in-root.sh FOLDER COMMAND...
set -euo pipefail
# shellcheck source=../usage.sh
. "$(dirname "$0")/../usage.sh"
fail() { echo "in-root.sh: $2" >&2; exit "$1"; }
[ $# -ge 2 ] || { print_usage >&2; exit 64; }
[ -x "$1/bin/sh" ] || fail 66 "$1 is not a root file system: it has no bin/sh"
[ "$(id -u)" -eq 0 ] || fail 77 "chroot needs root"
# shellcheck disable=SC2016 # the inner shell expands them
exec unshare --mount --pid --fork --kill-child sh -euc '
  mount --rbind /dev "$0/dev"
  mount --rbind /sys "$0/sys"
  mount -t proc proc "$0/proc"
  for file in /etc/resolv.conf /etc/hosts; do
    [ ! -e "$file" ] || { touch "$0$file"; mount --bind "$file" "$0$file"; }
  done
  unset ELECTRA_PROGRAM
  export HOME=/root TMPDIR=/tmp LC_ALL=C.UTF-8 PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
  exec chroot "$0" "$@"' "$@"
