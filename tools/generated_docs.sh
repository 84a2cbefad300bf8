#!/usr/bin/env bash
# tools/generated_docs.sh BUILD [--check]: writes the files of docs/ that are made of the program's
# own tables, or says which of them are not what the tables say.
set -euo pipefail
build=$1
docs=$(dirname "$(dirname "$(realpath "$0")")")/docs
fresh=$(mktemp -d)
trap 'rm -rf "$fresh"' EXIT
status=0
while read -r what file; do
  "$build/lib/feedrate_describe" "$what" > "$fresh/$file"
  if [ "${2:-}" != --check ]; then
    cp "$fresh/$file" "$docs/$file"
  elif ! diff -u "$docs/$file" "$fresh/$file"; then
    echo "docs/$file is out of date: run tools/generated_docs.sh ${build#"$PWD"/}" >&2
    status=1
  fi
done << 'END'
catalogue catalogue.md
options options.md
results-page results.md
results-schema results.schema.json
END
exit $status
