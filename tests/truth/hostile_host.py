#!/usr/bin/env python3
"""Hosts that do not let a run be: the process is stopped, frozen or throttled, reads hang or come in
pieces. What is true is known here, as it is done here; the program's result is held to it. Needs root
for control groups and FUSE; each case is skipped, with its reason, where the kernel lacks it."""
import argparse
import contextlib
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
DATA = ["--set", "dataset.files=20", "--set", "dataset.sample_bytes_stdev=0", "--set",
        "dataset.sample_bytes_mean=8000000"]


class Skip(Exception):
    pass


class Bench:
    def __init__(self, feedrate, folder):
        self.feedrate, self.folder, self.undo = feedrate, folder, contextlib.ExitStack()
        self.data = folder / "data"
        subprocess.run([feedrate, "datagen", "unet3d", self.data, "--quiet", *DATA], check=True,
                       capture_output=True)

    def train(self, *words, data=None, into=None):
        command = [self.feedrate, "train", "unet3d", data or self.data, "--batch", "2", "--quiet",
                   "--json", self.folder / "r.json", *words]
        (self.folder / "r.json").unlink(missing_ok=True)
        if into:  # moves itself into the group before it becomes the program
            command = ["bash", "-c", f'echo $$ > {into}/cgroup.procs; exec "$@"', "-", *command]
        return subprocess.Popen([str(word) for word in command], text=True, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE)

    def end(self, process, seconds=60):
        try:
            out, err = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            raise AssertionError(f"did not end in {seconds} s") from None
        file = self.folder / "r.json"
        report = json.loads(file.read_text()) if file.exists() else None
        return process.returncode, out, err, report and {**report["result"], **report}

    def group(self, controller):
        for root in (f"/sys/fs/cgroup/{controller}", "/sys/fs/cgroup"):
            control = pathlib.Path(root)
            modern = control / "cgroup.controllers"
            usable = (controller == "freezer" or controller in modern.read_text().split()) \
                if modern.exists() else root.endswith(controller) and control.exists()
            if not usable:
                continue
            folder = control / f"feedrate-test-{os.getpid()}"
            try:
                if modern.exists() and controller != "freezer":
                    (control / "cgroup.subtree_control").write_text("+" + controller)
                folder.mkdir()
            except OSError as error:
                raise Skip(f"no control group can be made: {error}") from error
            self.undo.callback(folder.rmdir)
            return folder
        raise Skip(f"this kernel has no control groups with {controller}")

    def fuse(self, *words):
        if not os.path.exists("/dev/fuse") or os.geteuid() != 0:
            raise Skip("no FUSE here, or not root")
        program = self.folder / "faultfs"
        if not program.exists():
            if not shutil.which("pkg-config"):
                raise Skip("pkg-config is not installed")
            flags = subprocess.run(["pkg-config", "--cflags", "--libs", "fuse3"], text=True,
                                   capture_output=True)
            if flags.returncode:
                raise Skip("libfuse3-dev is not installed")
            subprocess.run(["g++", "-std=c++20", "-O1", HERE / "faultfs.cc", "-o", program,
                            *flags.stdout.split()], check=True)
        at = self.folder / "m"
        at.mkdir(exist_ok=True)
        subprocess.run([program, self.data, at, *words], check=True)
        self.undo.callback(subprocess.run, ["umount", "-l", at])
        return at


def expect(condition, *what):
    if not condition:
        raise AssertionError(" ".join(str(word) for word in what))


def stalls_add_up(result):
    stalls = result["stalls"]
    sums = sum(cause["own_ns"] + cause["carried_ns"] for cause in stalls["causes"])
    expect(stalls["compute_ns"] + sums == stalls["wall_ns"], "the ledger does not add up")
    return {cause["cause"]: cause["own_ns"] / 1e9 for cause in stalls["causes"]}


def held_back(status, out, result, field, least, most, words):
    """The time is measured, named, keeps the storage out of it, and the run does not count."""
    held = result["host_time"][field]
    expect(least <= held <= most, f"{field}: {held}, not {least} to {most}")
    expect(status == 4 and not result["valid"] and words in out, "not INVALID:", out)
    expect("the storage" not in result["limiter"]["text"], result["limiter"])
    lost = stalls_add_up(result)
    return f"{field} {held:.2f}, stalled by the host {lost['host']:.2f} s"


def stopped_for_five_seconds(b):
    process = b.train("--step-time", "50ms", "--time", "15s")
    time.sleep(6)
    process.send_signal(signal.SIGSTOP)
    time.sleep(5)
    process.send_signal(signal.SIGCONT)
    status, out, _, result = b.end(process)
    text = held_back(status, out, result, "stopped_seconds", 4.8, 5.3, "this process was stopped for")
    lost = stalls_add_up(result)
    others = sum(lost[cause] for cause in ("queue", "open", "first-byte", "transfer"))
    expect(lost["host"] > 4 and others < 0.1 * lost["host"], "others are blamed:", lost)
    return text


def a_short_stop_is_only_said(b):
    process = b.train("--step-time", "50ms", "--time", "10s")
    time.sleep(5)
    process.send_signal(signal.SIGSTOP)
    time.sleep(0.3)
    process.send_signal(signal.SIGCONT)
    status, out, _, result = b.end(process)
    expect(status == 0 and result["valid"], out)
    expect(0.2 <= result["host_time"]["stopped_seconds"] <= 0.5, result["host_time"])
    expect("held back" in out, out)
    return f"stopped {result['host_time']['stopped_seconds']:.2f} s"


def left_alone(b):
    status, out, _, result = b.end(b.train("--step-time", "50ms", "--time", "8s"))
    expect(status == 0, out)
    held = result["host_time"]["stopped_seconds"] + result["host_time"]["quota_seconds"]
    expect(held < 0.2, result["host_time"])
    return f"held back {held:.2f} s"


def frozen(b):
    group = b.group("freezer")
    process = b.train("--step-time", "50ms", "--time", "12s", into=group)
    old = (group / "freezer.state").exists()
    state = group / ("freezer.state" if old else "cgroup.freeze")
    time.sleep(6)
    state.write_text("FROZEN" if old else "1")
    time.sleep(3)
    state.write_text("THAWED" if old else "0")
    status, out, _, result = b.end(process)
    return held_back(status, out, result, "stopped_seconds", 2.8, 3.3, "this process was stopped for")


def throttled(b):
    group = b.group("cpu")
    if (group / "cpu.max").exists():
        (group / "cpu.max").write_text("20000 100000")
    else:
        (group / "cpu.cfs_period_us").write_text("100000")
        (group / "cpu.cfs_quota_us").write_text("20000")
    # The copies out of the page cache take more than a fifth of a core.
    process = b.train("--step-time", "1ms", "--time", "6s", "--io", "buffered", "--cache", "measure",
                      "--verify", into=group)
    status, out, _, result = b.end(process, 120)
    seconds = result["metrics"]["seconds"]
    return held_back(status, out, result, "throttled_cpu_seconds", 0.05 * seconds,
                     os.cpu_count() * seconds, "the CPU quota of this control group held")


def hung_read(b, *engine):
    at = b.fuse("hang_after=2", "hang_one", "for=30")
    begin = time.monotonic()
    process = b.train("--step-time", "50ms", "--time", "60s", *engine, data=at)
    time.sleep(12)
    process.send_signal(signal.SIGINT)
    status, out, err, result = b.end(process)
    took = time.monotonic() - begin
    told = [line for line in err.splitlines() if line.startswith("waiting: a read of ")]
    expect(told and f'"{at}/' in told[0] and " for 5 s " in told[0], "not told:", err)
    expect(status == 130, status, out, err)
    expect("had not come back after" in out and "when the run was ended" in out
               and result["interrupted"], out)
    return f"told {len(told)} times, ended after {took:.0f} s"


def hung_read_with_threads(b):
    """Threads that wait in the kernel for an answer cannot leave it: the result is there all the
    same, and the process goes when the last of them does."""
    return hung_read(b, "--io-engine", "threads")


def everything_hangs(b):
    at = b.fuse("hang_after=2", "for=25")
    process = b.train("--step-time", "50ms", "--time", "60s", data=at)
    time.sleep(10)
    process.send_signal(signal.SIGINT)
    status, out, err, _ = b.end(process)
    expect("waiting: " in err, "not told:", err)
    expect(status == 130, status, out, err)
    expect("had not come back after" in out or "ending without a result" in err, out, err)
    return err.splitlines()[-2 if "hint" in err else -1]


def second_interrupt(b):
    at = b.fuse("hang_after=2", "hang_one", "for=30")
    process = b.train("--step-time", "50ms", "--time", "60s", data=at)
    time.sleep(5)
    process.send_signal(signal.SIGINT)
    time.sleep(0.6)
    process.send_signal(signal.SIGINT)
    begin = time.monotonic()
    status, _, err, _ = b.end(process)
    expect(status == 130, status, err)
    expect(time.monotonic() - begin < 2, "not at once")
    return f"after {time.monotonic() - begin:.1f} s"


def reads_in_pieces(b):
    at = b.fuse("short=3000")
    status, out, err, result = b.end(b.train("--step-time", "1ms", "--epochs", "1", "--io",
                                             "direct", "--verify", data=at))
    expect(status == 0 and not result["errors"], out, err)
    expect(result["metrics"]["samples_read"] == 20, result["metrics"])
    return "every byte as it was written"


def too_many_open_files(b):
    script = 'ulimit -n 24; exec "$@"'
    done = subprocess.run(["bash", "-c", script, "-", str(b.feedrate), "train", "unet3d", str(b.data),
                           "--batch", "20", "--readers", "40", "--io-engine", "threads",
                           "--step-time", "1ms", "--epochs", "1", "--quiet"], text=True,
                          capture_output=True)
    expect("Too many open files" in done.stdout + done.stderr, done.stdout, done.stderr)
    expect("'ulimit -n 65536'" in done.stdout + done.stderr, done.stdout, done.stderr)
    expect("mend the data set" not in done.stdout, done.stdout)
    return "the remedy is ulimit -n"


CASES = [left_alone, stopped_for_five_seconds, a_short_stop_is_only_said, frozen, throttled,
         hung_read, hung_read_with_threads, everything_hangs, second_interrupt, reads_in_pieces,
         too_many_open_files]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--feedrate", required=True, type=pathlib.Path)
    parser.add_argument("--only", default="", help="cases whose name holds this")
    options = parser.parse_args()
    counts = {"ok": 0, "FAILED": 0, "skipped": 0}
    with tempfile.TemporaryDirectory(prefix="feedrate_hostile_", dir="/var/tmp") as folder:
        for case in CASES:
            name = case.__name__.replace("_", " ")
            if options.only not in name:
                continue
            bench = Bench(options.feedrate.resolve(), pathlib.Path(folder))
            with bench.undo:
                try:
                    outcome, text = "ok", case(bench)
                except Skip as reason:
                    outcome, text = "skipped", str(reason)
                except AssertionError as error:
                    outcome, text = "FAILED", str(error)
            counts[outcome] += 1
            print(f"{name}: {outcome}: {text}", flush=True)
    print(f"{counts['ok']} passed, {counts['FAILED']} failed, {counts['skipped']} skipped")
    return 1 if counts["FAILED"] or counts["ok"] == 0 else 0


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    sys.exit(main())
