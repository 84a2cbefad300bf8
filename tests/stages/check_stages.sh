#!/usr/bin/env bash
# What test.sh says and counts, with commands that print what ctest prints.
set -uo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
bad=0

# expect NAME STATUS TEXT: what the stages on stdin print, in a shell of their own.
expect() {
  local name=$1 wanted_status=$2 wanted=$3 got status
  got=$(bash -c 'set -uo pipefail; . "$0/tools/stages.sh"; . /dev/stdin; summary' "$root" 2>&1)
  status=$?
  got=$(sed -E 's/\(?[0-9]+ s\)?$/TIME/' <<<"$got")
  if [ "$status" -ne "$wanted_status" ] || [ "$got" != "$wanted" ]; then
    echo "FAIL $name: status $status, expected $wanted_status"
    diff <(echo "$wanted") <(echo "$got")
    bad=1
  fi
}

expect "a stage of tests that pass" 0 "release: tests: ok, 21 tests TIME
  skipped: unit/b
all stages: TIME
21 passed, 0 failed" <<'S'
ctest() { printf '100%% tests passed, 0 tests failed out of 22\n\nThe following tests did not run:\n\t  2 - unit/b (Skipped)\n'; }
tests "release: tests" ctest
S

expect "a stage in which no test ran is a failure" 1 "No tests were found!!!
release: tests: FAILED, no test ran (0 s): 0 were found in what was built
all: ok TIME
failed: release: tests: no test ran
all stages: TIME
1 passed, 1 failed" <<'S'
ctest() { echo 'No tests were found!!!'; }
tests "release: tests" ctest
counted all true
S

expect "a stage in which all were skipped, too" 1 "tests: FAILED, no test ran (0 s): 1 were found in what was built
  skipped: unit/b
failed: tests: no test ran
all stages: TIME
0 passed, 1 failed" <<'S'
ctest() { printf '100%% tests passed, 0 tests failed out of 1\n\t  2 - unit/b (Skipped)\n'; }
tests tests ctest
S

expect "tests that fail are named at the end, with how" 1 "50% tests passed, 2 tests failed out of 4
	  1 - unit/host (Failed)
	  3 - unit/io (SEGFAULT) concurrent
tests: FAILED TIME
failed: tests: unit/host, unit/io (SEGFAULT)
all stages: TIME
2 passed, 2 failed" <<'S'
ctest() { printf '50%% tests passed, 2 tests failed out of 4\n\t  1 - unit/host (Failed)\n\t  3 - unit/io (SEGFAULT) concurrent\n'; return 8; }
tests tests ctest
S

expect "a stage that fails without a test of it does" 1 "cannot start
tests: FAILED TIME
failed: tests: failed, but by none of its tests
all stages: TIME
0 passed, 1 failed" <<'S'
ctest() { echo cannot start; return 1; }
tests tests ctest
S

expect "a build that fails ends its stage, and is named" 1 "no compiler
asan: build: FAILED TIME
failed: asan: build
all stages: TIME
0 passed, 1 failed" <<'S'
build() { echo no compiler; return 1; }
check "asan: build" build && counted never true
S

exit $bad
