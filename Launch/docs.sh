#!/usr/bin/env bash
# Checks README and guide, and builds them as a static web site with the toolchain's docc. The guide
# is Sources/Commands/Documentation.docc; README.md is its first page.
#
#   Launch/docs.sh [FOLDER]        default: .build/docs
#
# To read it: python3 -m http.server --directory .build/docs
#
# The checks (docs/check.py) fail with status 65 and name file and line. Links between files and to
# headings must lead somewhere. Options.md must list every option of every verb with its default.
# Commands in code blocks must be valid, and be run by a test or script or be listed in
# Contributing.md with a reason.
set -euo pipefail
here=$(CDPATH='' cd "$(dirname "$0")" && pwd)
# shellcheck source=usage.sh
. "$here/usage.sh"
# shellcheck source=environment.sh
. "$here/environment.sh"
report() { echo "docs.sh: $*" >&2; }
output=$(realpath -m "${1:-$root/.build/docs}")
command -v python3 >/dev/null || { report "the command python3 is missing"; exit 69; }
[ ! -e "$output" ] || [ -f "$output/metadata.json" ] || { report "$output exists and is not a guide; give another folder"; exit 73; }
build_if_missing || exit
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$electra" --experimental-dump-help >"$work/help.json"
python3 -B "$here/docs/check.py" "$root" "$work/help.json" "$work/electra.docc"

docc=$(command -v docc || true)
if [ -z "$docc" ]; then
  swift=$(command -v swift) || { report "there is no Swift toolchain on the PATH"; exit 69; }
  docc=$(dirname "$(readlink -f "$swift")")/docc
fi
rm -rf "$output"
"$docc" convert "$work/electra.docc" --output-dir "$output" --warnings-as-errors \
  --fallback-display-name electra --fallback-bundle-identifier electra
echo "docs.sh: $output/documentation/electra/index.html"
