#!/usr/bin/env bash
# Fetches English text from a Debian package into a file: one entry or quotation per line, a blank
# line after every fifty. Does nothing if the file exists.
#
#   Launch/fetch-text.sh FILE
#
# The text is a dictionary with literary quotations (dict-gcide, GPL-2+): a download of 15 MB, 28 MB
# of text, 4.7 million words.
set -euo pipefail
# shellcheck source=usage.sh
. "$(dirname "$0")/usage.sh"
[ $# -eq 1 ] || { print_usage >&2; exit 64; }
file=$1
[ ! -s "$file" ] || exit 0
folder=$(dirname "$file")
[ -d "$folder" ] || { echo "fetch-text.sh: there is no folder $folder" >&2; exit 66; }
folder=$(CDPATH='' cd "$folder" && pwd)
file=$folder/$(basename "$file")
# Another start may fetch the same file.
partial=$file.partial.$$
work=$(mktemp -d)
trap 'rm -rf "$work" "$partial"' EXIT
cd "$work"
echo "fetching text (15 MB)"
(apt-get download dict-gcide || { apt-get update && apt-get download dict-gcide; }) >fetch.log 2>&1 \
  || { tail -n 3 fetch.log >&2; echo "cannot fetch the Debian package dict-gcide" >&2; exit 69; }
dpkg-deb -x dict-gcide_*.deb package
zcat package/usr/share/dictd/gcide.dict.dz | iconv -c -f utf-8 -t utf-8 | awk '
  BEGIN { RS = "" }
  { gsub(/\n[ ]*/, " ")
    gsub(/\[(1913 Webster|PJC|WordNet 1.5|Webster Suppl|Century 1906|RH|AS|GK)[^\]]*\]/, "")
    gsub(/[{}]/, ""); gsub(/\\[^\\]*\\/, ""); gsub(/[ \t]+/, " ")
    if (NF >= 8) { print; if (++lines % 50 == 0) print "" } }' >"$partial"
mv "$partial" "$file"
