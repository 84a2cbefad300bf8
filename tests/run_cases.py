#!/usr/bin/python3
"""Runs the whole-binary cases of tests/cases/*.case; tests/README.md describes them.

usage: run_cases.py --feedrate PROGRAM [--only TEXT] [--list] [FILE.case ...]
"""
import argparse
import difflib
import functools
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
TIMEOUT_SECONDS = 60  # hangs end here; a case should take under three
REPEATED = ("SETUP", "RUN", "EXPECT", "EXPECT_ERR", "ABSENT", "AFTER")
SINGLE = ("NAME", "NEEDS", "STATUS", "ONLY")
HOLES = {
    "%int": r"-?[0-9][0-9,]*",
    "%float": r"-?[0-9][0-9,]*(?:\.[0-9]+)?(?:e[-+]?[0-9]+)?",
    "%size": r"[0-9.]+ (?:[KMGTPE]i)?B",
    "%any": r".*",
}


class Case:
    def __init__(self, file, line):
        self.file, self.line = file, line
        self.fields = {key: [] for key in REPEATED}
        self.fields.update({key: "" for key in SINGLE})

    def __getitem__(self, key):
        return self.fields[key]


def parse(file):
    """The cases of a file. A line is 'KEY text'; '#' starts a comment line; NAME starts a case."""
    cases = []
    for number, line in enumerate(file.read_text().splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        key, _, text = line.partition(" ")
        if key == "NAME":
            cases.append(Case(file, number))
        if key not in REPEATED + SINGLE or not cases:
            sys.exit(f"{file}:{number}: unknown key '{key}'; see tests/README.md")
        if key in REPEATED:
            cases[-1][key].append(text)
        else:
            cases[-1].fields[key] = text
    for case in cases:
        if not case["RUN"]:
            sys.exit(f"{file}:{case.line}: the case has no RUN line")
    return cases


# --- what a case needs of the host ----------------------------------------------------------------

def succeeds(command):
    return subprocess.run(command, shell=True, capture_output=True).returncode == 0


@functools.cache
def lacks(need):
    """Why the host cannot run a case with this need, or ''."""
    checks = {
        "root": lambda: os.geteuid() == 0,
        # A tmpfs in a mount namespace of its own: nothing of it is left behind.
        "mount": lambda: succeeds("unshare -m sh -c 'mount -t tmpfs none /mnt'"),
        # An ext4 in a file, mounted in a namespace of its own.
        "loop": lambda: succeeds(
            "f=$(mktemp) && truncate -s 8M $f && mkfs.ext4 -q -F $f && "
            "unshare -m mount -o loop $f /mnt; status=$?; rm -f $f; exit $status"),
        "direct": direct_io_works,
        "unprivileged": lambda: succeeds(f"{HERE}/cases/helpers/unprivileged true"),
        "uring": lambda: succeeds(f"{HERE}/cases/helpers/has_io_uring"),
        "seccomp": lambda: succeeds(f"{HERE}/cases/helpers/without_io_uring true"),
    }
    if need not in checks:
        sys.exit(f"unknown NEEDS '{need}'; known are {', '.join(checks)}")
    return "" if checks[need]() else f"needs {need}"


def direct_io_works():
    """Newer kernels accept O_DIRECT on tmpfs, too, but nothing is read from storage there."""
    with tempfile.NamedTemporaryFile() as file:
        if succeeds(f"findmnt -n -o FSTYPE -T {file.name} | grep -qE '^(tmpfs|ramfs)$'"):
            return False
        try:
            os.close(os.open(file.name, os.O_RDONLY | os.O_DIRECT))
            return True
        except OSError:
            return False


# --- running --------------------------------------------------------------------------------------

def run_shell(lines, folder, environment):
    """Runs the lines with bash; (status, stdout, stderr). The whole process group dies with it."""
    process = subprocess.Popen(["bash", "-c", "\n".join(lines)], cwd=folder, env=environment,
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, start_new_session=True)
    try:
        out, err = process.communicate(timeout=TIMEOUT_SECONDS)
        status = process.returncode
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        out, err = process.communicate()
        status = f"none: it was still running after {TIMEOUT_SECONDS} s"
    return status, out.decode(errors="backslashreplace"), err.decode(errors="backslashreplace")


def pattern(line):
    parts = re.split("(" + "|".join(HOLES) + ")", line.rstrip())
    return re.compile("".join(HOLES.get(part) or re.escape(part) for part in parts))


def missing_line(expected, text):
    """The first expected line that does not follow the ones before it, or None."""
    lines = iter(text.splitlines())
    for line in expected:
        wanted = pattern(line)
        if not any(wanted.fullmatch(got.rstrip()) for got in lines):
            return line
    return None


def difference(expected, text):
    got = text.splitlines()
    # A line that fills the holes of an expected one is shown as equal to it.
    shown = [next((line for line in expected if pattern(line).fullmatch(one.rstrip())), one)
             for one in got]
    return "\n".join("    " + line for line in
                     difflib.unified_diff(expected, shown, "expected", "got", lineterm="", n=1))


def check_stream(name, expected, only, text):
    problems = []
    missing = missing_line(expected, text)
    if missing is not None:
        problems.append(f"{name} lacks the line (in this order): {missing}")
    if only and not problems and len(text.splitlines()) != len(expected):
        problems.append(f"{name} has other lines than the expected ones")
    return [p + "\n" + difference(expected, text) for p in problems]


def run_case(case, environment):
    """What is wrong, a text each."""
    folder = tempfile.mkdtemp(prefix="feedrate_case_")
    os.chmod(folder, 0o777)  # for cases that run as another user
    try:
        if case["SETUP"]:
            status, out, err = run_shell(["set -e"] + case["SETUP"], folder, environment)
            if status != 0:
                return [f"SETUP failed with status {status}\n{out}{err}"]
        status, out, err = run_shell(case["RUN"], folder, environment)
        problems = []
        if str(status) != (case["STATUS"] or "0"):
            problems.append(f"exit status {status}, expected {case['STATUS'] or '0'}")
        only = case["ONLY"].split()
        problems += check_stream("stdout", case["EXPECT"], "out" in only, out)
        problems += check_stream("stderr", case["EXPECT_ERR"], "err" in only, err)
        for line in case["ABSENT"]:
            if any(pattern(line).search(got) for got in (out + "\n" + err).splitlines()):
                problems.append(f"the output has what must be absent: {line}")
        for line in case["AFTER"]:
            after, after_out, after_err = run_shell([line], folder, environment)
            if after != 0:
                problems.append(f"AFTER failed with status {after}: {line}\n{after_out}{after_err}")
        if problems:
            problems.append("stdout:\n" + indent(out) + "stderr:\n" + indent(err))
        return problems
    finally:
        subprocess.run(["chmod", "-R", "u+rwX", folder], capture_output=True)
        shutil.rmtree(folder, ignore_errors=True)


def indent(text):
    lines = text.splitlines()
    cut = lines if len(lines) <= 40 else lines[:40] + [f"... {len(lines) - 40} lines more"]
    return "".join("    | " + line + "\n" for line in cut)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--feedrate", required=True, help="the program to test")
    parser.add_argument("--only", default="", help="run the cases whose name holds this text")
    parser.add_argument("--list", action="store_true", help="print the names")
    parser.add_argument("--times", action="store_true", help="print how long each case took")
    parser.add_argument("files", nargs="*", type=pathlib.Path)
    options = parser.parse_args()

    files = options.files or sorted((HERE / "cases").glob("*.case"))
    cases = [case for file in files for case in parse(file) if options.only in case["NAME"]]
    program = pathlib.Path(options.feedrate).resolve()
    passed, failed, skipped = 0, 0, 0
    with tempfile.TemporaryDirectory(prefix="feedrate_cases_bin_") as programs:
        os.chmod(programs, 0o755)
        os.symlink(program, f"{programs}/feedrate")
        environment = dict(os.environ, FEEDRATE=str(program), LC_ALL="C.UTF-8",
                           ROOT=str(HERE.parent),
                           PATH=f"{programs}:{HERE}/cases/helpers:/usr/sbin:{os.environ['PATH']}")
        for case in cases:
            title = f"{case.file.name}:{case.line}: {case['NAME']}"
            if options.list:
                print(title)
                continue
            reasons = [lacks(need) for need in case["NEEDS"].split()]
            if any(reasons):
                skipped += 1
                print(f"skip {title} ({', '.join(r for r in reasons if r)})")
                continue
            begin = time.monotonic()
            problems = run_case(case, environment)
            passed += not problems
            failed += bool(problems)
            if options.times:
                print(f"{time.monotonic() - begin:6.2f} s  {title}")
            if problems:
                print(f"FAIL {title}")
                for problem in problems:
                    print("  " + problem.rstrip())
            sys.stdout.flush()
    if not options.list:
        print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
