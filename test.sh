#!/usr/bin/env bash
# Everything CI runs: installs packages, builds, tests, sanitizers. A line per stage; what a stage
# printed only when it failed; the last line counts the tests.
set -uo pipefail
cd "$(dirname "$0")" || exit 3
usage="usage: ./test.sh [--long]
Installs packages (Debian 12), then builds and tests build/release (all tests), build/asan and
build/tsan (unit tests; of those with threads). --long adds clang-tidy over all files, a minute of each fuzzer,
and what needs root and mounts: memory that looks like storage, and hosts that hold a run back."
long=no
case "$*" in
  "") ;;
  --long) long=yes ;;
  --help | -h) echo "$usage" && exit 0 ;;
  *) echo "$usage" >&2 && exit 2 ;;
esac
lists=(tools/packages.txt tools/packages-test.txt)
[ $long = yes ] && lists+=(tools/packages-long.txt)
tools/install_packages.sh "${lists[@]}" || exit 3
passed=0
failed=0
log=$(mktemp)
trap 'rm -f "$log"' EXIT

# stage NAME COMMAND...: runs it, says how it went and how long it took.
stage() {
  local name=$1 begin=$SECONDS
  shift
  if "$@" </dev/null >"$log" 2>&1; then
    echo "$name: ok ($((SECONDS - begin)) s)"
    return 0
  fi
  cat "$log"
  echo "$name: FAILED ($((SECONDS - begin)) s)"
  return 1
}

# check NAME COMMAND...: a stage that counts as one test when it fails.
check() { stage "$@" || { failed=$((failed + 1)) && return 1; }; }

# tests NAME COMMAND...: a stage that is a run of ctest. Adds its counts; a test that was skipped
# counts as neither.
tests() {
  local ok=yes summary bad=0 total=0 skipped
  stage "$@" || ok=no
  summary=$(grep -E '^[0-9]+% tests passed, [0-9]+ tests failed out of [0-9]+$' "$log" | tail -n 1)
  if [ -n "$summary" ]; then
    bad=$(sed -E 's/.*passed, ([0-9]+) tests.*/\1/' <<<"$summary")
    total=${summary##* }
  fi
  # Without a summary, or failed by something that is no test: that is a failure, too.
  if [ "$total" -eq 0 ] || { [ $ok = no ] && [ "$bad" -eq 0 ]; }; then failed=$((failed + 1)); fi
  skipped=$(sed -nE 's/^[[:space:]]+[0-9]+ - (.*) \(Skipped\)$/\1/p' "$log")
  [ -n "$skipped" ] && echo "  skipped:" $skipped
  failed=$((failed + bad))
  passed=$((passed + total - bad - $(grep -c . <<<"$skipped")))
}

# preset NAME TARGET CTEST_ARGUMENTS...
preset() {
  local name=$1 target=$2 runner=()
  shift 2
  # GCC 12's thread sanitizer cannot start where the kernel places programs at very random addresses.
  [ "$name" = tsan ] && setarch -R true 2>/dev/null && runner=(setarch -R)
  check "$name: configure" cmake --preset "$name" || return
  check "$name: build" "${runner[@]}" cmake --build "build/$name" --target "$target" || return
  tests "$name: tests" "${runner[@]}" ctest --test-dir "build/$name" --output-on-failure -j 2 "$@"
}

preset release all
preset asan feedrate_unit_tests -R '^unit/'
preset tsan feedrate_concurrent_tests -L concurrent
if [ $long = yes ]; then
  for truth in memory_in_disguise hostile_host; do
    check "truth: $truth" tests/truth/$truth.py --feedrate build/release/feedrate && passed=$((passed + 1))
    sed -nE 's/^(.*): skipped: (.*)$/  skipped: \1: \2/p' "$log"
  done
  check clang-tidy tools/clang_tidy.sh build/release && passed=$((passed + 1))
  check "fuzz: configure" cmake --preset fuzz && check "fuzz: build" cmake --build build/fuzz --target feedrate_fuzz &&
    check "fuzz: 60 s each" fuzz/run_fuzzers.py build/fuzz/fuzz/feedrate_fuzz && passed=$((passed + 1))
fi
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
