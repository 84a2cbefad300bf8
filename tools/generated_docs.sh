#!/usr/bin/env bash
# tools/generated_docs.sh BUILD [--check]: writes the pages of docs/ that are made of the program's
# own tables, or says which of them are not what the tables say.
set -euo pipefail
build=$1
docs=$(dirname "$(dirname "$(realpath "$0")")")/docs
page=$docs/options.md
if [ "${2:-}" = --check ]; then
  "$build/lib/feedrate_describe" options | diff -u "$page" - ||
    { echo "docs/options.md is out of date: run tools/generated_docs.sh ${build#"$PWD"/}" >&2; exit 1; }
else
  "$build/lib/feedrate_describe" options > "$page.part"
  mv "$page.part" "$page"
fi
