#!/usr/bin/env bash
# check_install.sh BUILD SOURCE: installs, builds the example against it, runs everything.
set -euo pipefail
build=$1
source=$2
prefix=$(mktemp -d)
trap 'rm -rf "$prefix"' EXIT
cmake --install "$build" --prefix "$prefix" >/dev/null
"$prefix/bin/feedrate" --version
"$prefix/bin/feedrate" show resnet50 >/dev/null
man=$prefix/share/man/man1/feedrate.1
grep -qxF 'Default: 65536.' "$man"
if command -v mandoc >/dev/null; then  # a page without a date is meant: builds are repeatable
  complaints=$(mandoc -T lint -W warning "$man" | grep -v 'missing date' || true)
  [ -z "$complaints" ] || { echo "$complaints"; exit 1; }
  mandoc -T ascii "$man" | sed 's/.\x08//g' | grep -E '^ +--max N$' >/dev/null
fi
here=$(dirname "$0")
"$here/check_completion.sh" "$prefix/share/bash-completion/completions/feedrate"
for shell in zsh fish; do
  command -v $shell >/dev/null || { echo "$shell is not installed: its completion was not tried"; continue; }
  case $shell in
    zsh) "$here/check_completion.zsh" "$prefix/share/zsh/site-functions" ;;
    fish) "$here/check_completion.fish" "$prefix/share/fish/vendor_completions.d/feedrate.fish" ;;
  esac
done
cmake -S "$source/examples/embed" -B "$prefix/embed" -G Ninja \
  -DCMAKE_PREFIX_PATH="$prefix" >/dev/null
ninja -C "$prefix/embed" >/dev/null
"$prefix/embed/embed" | grep -x "AU 1.000 over 100 steps"
