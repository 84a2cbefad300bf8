# Sourced by test.sh: stages, how long each took, and what they count. A stage's output is shown
# only when it failed; summary() names every failure once more and counts.
passed=0
failed=0
failures=()
stages_log=$(mktemp)
stages_begin=$SECONDS

# fail NUMBER TEXT: that many failures, and what the summary says of them.
fail() {
  failed=$((failed + $1))
  failures+=("$2")
}

# run NAME COMMAND...: says how long it took, and what came out of it only when it failed.
run() {
  local name=$1 begin=$SECONDS
  shift
  if "$@" </dev/null >"$stages_log" 2>&1; then
    took="$((SECONDS - begin)) s"
    return 0
  fi
  took="$((SECONDS - begin)) s"
  cat "$stages_log"
  echo "$name: FAILED ($took)"
  return 1
}

# check NAME COMMAND...: a stage that is no test by itself, but one failure when it fails.
check() {
  run "$@" || { fail 1 "$1" && return 1; }
  echo "$1: ok ($took)"
}

# counted NAME COMMAND...: a stage that is one test.
counted() { check "$@" && passed=$((passed + 1)); }

# tests NAME COMMAND...: a stage that is a run of ctest. Adds its counts; a test that was skipped
# counts as neither, and a stage in which none ran is a failure.
tests() {
  local name=$1 ok=yes summary bad=0 total=0 skipped names ran
  run "$@" || ok=no
  summary=$(grep -E '^[0-9]+% tests passed, [0-9]+ tests failed out of [0-9]+$' "$stages_log" | tail -n 1)
  if [ -n "$summary" ]; then
    bad=$(sed -E 's/.*passed, ([0-9]+) tests.*/\1/' <<<"$summary")
    total=${summary##* }
  fi
  skipped=$(sed -nE 's/^[[:space:]]+[0-9]+ - (.*) \(Skipped\)$/\1/p' "$stages_log")
  names=$(sed -nE 's/^[[:space:]]+[0-9]+ - (.* \([^)]*\)).*$/\1/p' "$stages_log" |
    grep -v ' (Skipped)$' | sed 's/ (Failed)$//')
  ran=$((total - $(grep -c . <<<"$skipped")))
  if [ "$ran" -eq 0 ] && [ $ok = yes ]; then
    [ "$total" -eq 0 ] && cat "$stages_log"
    echo "$name: FAILED, no test ran ($took): $total were found in what was built"
    fail 1 "$name: no test ran"
  elif [ $ok = yes ]; then
    echo "$name: ok, $ran tests ($took)"
  elif [ "$bad" -eq 0 ]; then
    fail 1 "$name: failed, but by none of its tests"
  else
    fail "$bad" "$name: $(paste -sd, <<<"$names" | sed 's/,/, /g')"
  fi
  [ -n "$skipped" ] && echo "  skipped:" $skipped
  passed=$((passed + ran - bad))
}

# The failures by name, and as the last line the counts.
summary() {
  rm -f "$stages_log"
  local failure
  for failure in "${failures[@]}"; do echo "failed: $failure"; done
  local all=$((SECONDS - stages_begin))
  echo "all stages: $all s"
  [ $all -le 1800 ] || echo "warning: longer than 30 minutes; the stages above say what took it"
  echo "$passed passed, $failed failed"
  [ "$failed" -eq 0 ]
}
