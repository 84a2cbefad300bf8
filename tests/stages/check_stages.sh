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

# ci NAME STATUS TEXT QUICKSTART TEST [BEFORE]: what .ci/run prints with these two scripts.
ci() {
  local name=$1 wanted_status=$2 wanted=$3 tree got status
  tree=$(mktemp -d)
  mkdir "$tree/.ci" && cp "$root/.ci/run" "$tree/.ci/run"
  printf '#!/bin/sh\nmkdir -p feedrate-data\n%s\n' "$4" >"$tree/quickstart.sh"
  printf '#!/bin/sh\nls -d feedrate-data 2>/dev/null\n%s\n' "$5" >"$tree/test.sh"
  chmod +x "$tree"/*.sh
  (cd "$tree" && eval "${6-true}")
  got=$("$tree/.ci/run" 2>&1)
  status=$?
  if [ "$status" -ne "$wanted_status" ] || [ "$got" != "$wanted" ]; then
    echo "FAIL $name: status $status, expected $wanted_status"
    diff <(echo "$wanted") <(echo "$got")
    bad=1
  fi
  rm -rf "$tree"
}

ci "CI counts the first command, and its data set goes" 0 "21
6 passed, 0 failed" "echo 21" "echo '5 passed, 0 failed'"
ci "a data set that was there before stays" 0 "feedrate-data
6 passed, 0 failed" "" "echo '5 passed, 0 failed'" "mkdir feedrate-data"
ci "a first command that fails is a failure" 1 "failed: quickstart.sh (exit status 3)
5 passed, 1 failed" "exit 3" "echo '5 passed, 0 failed'"
ci "a storage that cannot be measured is none" 0 \
  "skipped: quickstart.sh, its run was INVALID on this machine (exit status 4)
5 passed, 0 failed" "exit 4" "echo '5 passed, 0 failed'"
ci "tests that fail, too" 1 "failed: unit/a
5 passed, 1 failed" "" "echo failed: unit/a; echo '4 passed, 1 failed'; exit 1"
ci "a test.sh that does not come to its end, too" 1 "error: no packages
1 passed, 1 failed" "" "echo error: no packages; exit 3"

exit $bad
