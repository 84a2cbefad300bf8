#!/usr/bin/env bash
# Everything CI runs: installs packages, builds, tests, sanitizers. A line per stage; what a stage
# printed only when it failed; every failure by name; the last line counts the tests.
set -uo pipefail
cd "$(dirname "$0")" || exit 3
long_stages="judges coverage at-least framework fresh mutants evidence processes instructions tidy fuzz bare"
usage="usage: ./test.sh [--long [STAGE ...]]
Installs packages (Debian 12), then builds and tests build/release (all tests), build/asan and
build/tsan (unit tests; of those with threads). --long adds the stages below, or those that are
named alone, on build/release; each is shorter than an hour, but for bare:
  judges        the judges of tests/truth against theory, and PyTorch's loader
  coverage at-least framework fresh    how often find is right, over many seeds
  mutants       patches that must be caught
  evidence      memory in disguise, hostile hosts (root, mounts)
  processes     several processes in one directory, 500 rounds of each kind
  instructions  the hot paths against the build of the commit before: at most 10 % more
  tidy fuzz     clang-tidy over all files; a minute of each fuzzer
  bare          the README's two commands in a bare Debian 12 (as root)"
long=
case "${1-}" in
  "") ;;
  --long)
    shift
    long="${*:-$long_stages}"
    for stage in $long; do
      [[ " $long_stages " == *" $stage "* ]] || { echo "test.sh: no stage '$stage'" >&2 && echo "$usage" >&2 && exit 2; }
    done
    set -- $* ;;
  --help | -h) echo "$usage" && exit 0 ;;
  *) echo "$usage" >&2 && exit 2 ;;
esac
lists=(tools/packages.txt tools/packages-test.txt)
[ -n "$long" ] && lists+=(tools/packages-long.txt)
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

truth=build/release/tests/truth/feedrate_find_truth
# truth NAME ARGUMENTS...: how often the interval of find holds what judges say.
truth() { counted "truth: find $1" tests/truth/find_coverage.py $truth "${@:2}"; }

long_judges() { tests "judges" ctest --test-dir build/release --output-on-failure -C long -R '^truth/'; }
long_coverage() { truth "100 seeds" tests/truth/storages.json; }
long_at-least() { truth "--at-least" tests/truth/storages.json --at-least --budgets 30; }
long_framework() { truth "--framework" tests/truth/storages.json --framework --seeds 40; }
# Twelve storages nobody has seen; a seed that fails becomes a fixed test.
long_fresh() {
  local seed
  seed=$(date +%s)
  echo "  fresh storages: seed $seed"
  check "truth: draw" tests/truth/judge_events.py --draw "$seed" --out build/drawn.json &&
    truth "of seed $seed" build/drawn.json --seeds 10
}
long_mutants() { counted "mutants" tests/mutants/run.py; }
long_evidence() {
  local each
  for each in memory_in_disguise hostile_host; do
    counted "truth: $each" tests/truth/$each.py --feedrate build/release/feedrate
    sed -nE 's/^(.*): skipped: (.*)$/  skipped: \1: \2/p' "$stages_log"
  done
}
long_processes() { counted "processes" tests/processes/run.py --feedrate build/release/feedrate; }
long_instructions() { counted "instructions" tools/instruction_gate.py build/release/feedrate; }
long_tidy() { counted clang-tidy tools/clang_tidy.sh build/release; }
long_fuzz() {
  check "fuzz: configure" cmake --preset fuzz &&
    check "fuzz: build" cmake --build build/fuzz --target feedrate_fuzz &&
    counted "fuzz: 60 s each" fuzz/run_fuzzers.py build/fuzz/fuzz/feedrate_fuzz
}
long_bare() { counted "bare machine" tools/bare_machine.sh; }

# With stages by name, release is built for them, and that is all.
if [ $# -gt 0 ]; then
  check "release: configure" cmake --preset release && check "release: build" cmake --build build/release
else
  preset release all
  preset asan feedrate_unit_tests -R '^unit/'
  preset tsan feedrate_concurrent_tests -L concurrent
fi
for stage in $long; do "long_$stage"; done
summary
