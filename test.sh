#!/usr/bin/env bash
# Everything CI runs: installs packages, builds, tests, sanitizers. A line per stage; what a stage
# printed only when it failed; every failure by name; the last line counts the tests.
set -uo pipefail
cd "$(dirname "$0")" || exit 3
usage="usage: ./test.sh [--long]
Installs packages (Debian 12), then builds and tests build/release (all tests), build/asan and
build/tsan (unit tests; of those with threads). --long adds clang-tidy over all files, a minute of
each fuzzer, the judges of tests/truth (some need root and mounts), and the README's two commands in
a bare Debian 12 (as root, an hour)."
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
. tools/stages.sh
trap 'rm -f "$stages_log"' EXIT

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
  tests "judges" ctest --test-dir build/release --output-on-failure -C long -R '^truth/'
  for how in "" "--at-least --budgets 30" "--framework --seeds 40"; do
    check "truth: find $how" tests/truth/find_coverage.py build/release/tests/truth/feedrate_find_truth \
      tests/truth/storages.json $how && passed=$((passed + 1))
  done
  # Twelve storages nobody has seen; a seed that fails becomes a fixed test.
  seed=$(date +%s)
  echo "  fresh storages: seed $seed"
  check "truth: draw" tests/truth/judge_events.py --draw "$seed" --out build/drawn.json &&
    check "truth: find, seed $seed" tests/truth/find_coverage.py build/release/tests/truth/feedrate_find_truth \
      build/drawn.json --seeds 10 && passed=$((passed + 1))
  check "mutants" tests/mutants/run.py && passed=$((passed + 1))
  for truth in memory_in_disguise hostile_host; do
    check "truth: $truth" tests/truth/$truth.py --feedrate build/release/feedrate && passed=$((passed + 1))
    sed -nE 's/^(.*): skipped: (.*)$/  skipped: \1: \2/p' "$log"
  done
  counted clang-tidy tools/clang_tidy.sh build/release
  check "fuzz: configure" cmake --preset fuzz && check "fuzz: build" cmake --build build/fuzz --target feedrate_fuzz &&
    counted "fuzz: 60 s each" fuzz/run_fuzzers.py build/fuzz/fuzz/feedrate_fuzz
  counted "bare machine" tools/bare_machine.sh
fi
summary
