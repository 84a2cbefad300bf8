#!/usr/bin/env bash
# Installs what is missing, builds feedrate and asks the main question about this disk.
set -euo pipefail
cd "$(dirname "$0")"
usage="usage: ./quickstart.sh
Debian 12: installs packages, builds build/release/feedrate, writes a data set to ./feedrate-data
(2 GiB; one from an earlier run is used again) and finds how many accelerators this disk keeps
fed: about a minute after the build. It takes no options; 'build/release/feedrate' does."
case "$*" in
  "") ;;
  --help | -h) echo "$usage" && exit 0 ;;
  *) echo "$usage" >&2 && exit 2 ;;
esac
tools/install_packages.sh tools/packages.txt
log=$(mktemp)
trap 'rm -f "$log"' EXIT
begin=$SECONDS
[ -x build/release/feedrate ] || echo "build: some minutes, the first time..."
# A tree that is built with its tests keeps them; else nothing is asked for that only tests need.
preset=program
grep -qs '^FEEDRATE_TESTS:BOOL=ON$' build/release/CMakeCache.txt && preset=release
if ! { cmake --preset $preset &&
  cmake --build build/release --target feedrate_program; } </dev/null >"$log" 2>&1; then
  cat "$log" >&2
  echo "error: the build failed" >&2
  exit 3
fi
echo "build: ok, build/release/feedrate ($((SECONDS - begin)) s)"
build/release/feedrate find resnet50 ./feedrate-data --size 2GiB --budget 40s
