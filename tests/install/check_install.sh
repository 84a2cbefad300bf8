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
printf 'name: m\nbandwidth: 2GB/s\nlatency: 1ms\n' >"$prefix/m.yaml"
said=$("$prefix/embed/embed" "$prefix/m.yaml" "$prefix/checkpoints")
echo "$said"
# The library answers as the program does: a program that prints the same lines proves it.
program() { "$prefix/bin/feedrate" "$@" --quiet | head -1; }
found=$(program find resnet50 --storage "model:$prefix/m.yaml" --clock virtual --budget 30s --only-n)
planned=$(program plan resnet50 --accelerators 64 --type h100 --storage-type nvme-gen5)
# The program plans hard disks and inference as well.
for line in "find: $found" "plan: ${planned%% or *} to train"; do
  grep -qxF "$line" <<<"$said" || { echo "the program says: $line"; exit 1; }
done
"$prefix/bin/feedrate" restore "$prefix/checkpoints" --quiet | grep -q 'every byte'
