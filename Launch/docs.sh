#!/usr/bin/env bash
# Builds the guide (Sources/Commands/Documentation.docc, with README.md as its first page) with the toolchain's docc,
# as a static web site:
#
#   Launch/docs.sh [FOLDER]        default: .build/docs; open it with: python3 -m http.server --directory .build/docs
#
# Before that it checks README and guide, and fails with status 65 naming file and line: links between files and to
# headings; Options.md, which must list every option of every verb with its default; and all commands in code blocks,
# which must be valid and run by a test or script, or listed in Contributing.md with the reason why not (docs/check.py).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=environment.sh
. "$here/environment.sh"
output=$(realpath -m "${1:-$root/.build/docs}")
command -v python3 >/dev/null || { echo "docs.sh: the command python3 is missing" >&2; exit 69; }
[ ! -e "$output" ] || [ -f "$output/metadata.json" ] || { echo "docs.sh: $output exists and is no guide; name another folder" >&2; exit 73; }
[ -x "$electra" ] || build || exit
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$electra" --experimental-dump-help >"$work/help.json"
python3 -B "$here/docs/check.py" "$root" "$work/help.json" "$work/electra.docc"

docc=$(command -v docc || true)
if [ -z "$docc" ]; then
  swift=$(command -v swift) || { echo "docs.sh: there is no Swift toolchain on the PATH" >&2; exit 69; }
  docc=$(dirname "$(readlink -f "$swift")")/docc
fi
rm -rf "$output"
"$docc" convert "$work/electra.docc" --output-dir "$output" --warnings-as-errors \
  --fallback-display-name electra --fallback-bundle-identifier electra
echo "docs.sh: $output/documentation/electra/index.html"
