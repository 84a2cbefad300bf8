#!/usr/bin/python3
"""Several real processes in one directory: nothing is lost, nothing is wrong, and whoever is refused
is told by whom. A line for each kind; exit status 1 if any round failed.

    tests/processes/run.py --feedrate build/release/feedrate [--rounds 500] [--only NAME] [--seed N]
"""
import argparse
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time

WRITE = ["llama3-8b", "ck", "--scale", "0.0002", "--subset", "2", "--quiet"]
BUSY = "is being written in by"


class Round:
    def __init__(self, program, folder, dice):
        self.program, self.folder, self.dice = program, folder, dice
        self.problems = []

    def start(self, *words):
        return subprocess.Popen([self.program, *words], cwd=self.folder, text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def end(self, process, busy_is_fine=False):
        """Returns whether it worked. To be refused, by name, is fine only for a second writer."""
        said, errors = process.communicate(timeout=120)
        if process.returncode == 0:
            return True
        if not (busy_is_fine and process.returncode == 3 and BUSY in errors):
            self.problems.append(f"{' '.join(process.args[1:3])}: {process.returncode}: "
                                 f"{errors or said[:200]}")
        return False

    def must(self, *words):
        return self.end(self.start(*words))

    def pause(self):
        time.sleep(self.dice.random() * 0.03)

    def both(self, first, second):
        processes = [self.start(*first)]
        self.pause()
        processes.append(self.start(*second))
        done = [self.end(process, True) for process in processes]
        if not any(done):
            self.problems.append("neither of the two got the directory")
        return done

    def steps(self):
        return sorted(int(name[5:]) for name in os.listdir(f"{self.folder}/ck")
                      if re.fullmatch(r"step-\d+", name))

    def restore_all(self):
        for step in self.steps():
            self.must("restore", "ck", "--step", str(step), "--quiet")


def writers(now):
    done = now.both(["checkpoint", *WRITE, "--count", "2"],
                    ["checkpoint", *WRITE, "--count", "2"])
    if len(now.steps()) != 2 * sum(done):
        now.problems.append(f"{sum(done)} writers, steps {now.steps()}")
    now.restore_all()


def compacts(now):
    now.must("checkpoint", *WRITE, "--count", "4", "--incremental", "--changed", "0.2")
    newest = now.steps()[-1:]
    words = ["compact", "ck", "--quiet"] + (["--keep", "1"] if now.dice.random() < 0.5 else [])
    now.both(words, ["compact", "ck", "--quiet"])
    if now.steps()[-1:] != newest:
        now.problems.append(f"step {newest} is lost: {now.steps()}")
    now.restore_all()


def restore_beside(now):
    """A reader always finds a whole step, while a writer adds and removes, or a compact replaces."""
    now.must("checkpoint", *WRITE, "--count", "3", "--incremental", "--changed", "0.2")
    if now.dice.random() < 0.5:
        other = now.start("checkpoint", *WRITE, "--count", "12", "--keep", "1")
    else:
        other = now.start("compact", "ck", "--keep", "1", "--quiet")
    while True:
        now.must("restore", "ck", "--quiet")
        if other.poll() is not None:
            break
    now.end(other)


def killed(now):
    """The lock of a killed writer keeps nobody out, and what was acknowledged is there."""
    now.must("checkpoint", *WRITE)
    other = now.start("checkpoint", *WRITE, "--count", "50")
    time.sleep(now.dice.random() * 0.3)
    other.kill()
    other.communicate()
    before = now.steps()
    now.must("restore", "ck", "--quiet")
    now.must("checkpoint", *WRITE)
    if now.steps()[:len(before)] != before:
        now.problems.append(f"steps {before} became {now.steps()}")
    now.must("restore", "ck", "--quiet")


DATA = ["datagen", "resnet50", "data", "--size", "4MB", "--set", "dataset.samples_per_file=8",
        "--quiet"]


def datagens(now):
    now.both(DATA, DATA)
    now.must(*DATA)
    now.must("train", "resnet50", "data", "--batch", "2", "--steps", "60", "--step-time", "1ms",
             "--set", "dataset.samples_per_file=8", "--verify", "--quiet")
    left = [name for _, _, names in os.walk(f"{now.folder}/data") for name in names
            if name.endswith(".part")]
    if left:
        now.problems.append(f"left: {left}")


def scans(now):
    now.must(*DATA)
    for name in ("feedrate.json", ".feedrate-lock"):
        os.remove(f"{now.folder}/data/{name}")
    words = ["train", "resnet50", "--data", "data", "--format", "tfrecord", "--batch", "2", "--steps", "60",
             "--step-time", "1ms", "--quiet"]
    processes = [now.start(*words) for _ in range(2)]
    for process in processes:
        now.end(process)
    now.must(*words)


KINDS = {"writers": writers, "compacts": compacts, "restore": restore_beside, "killed": killed,
         "datagens": datagens, "scans": scans}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--feedrate", required=True)
    parser.add_argument("--rounds", type=int, default=500)
    parser.add_argument("--only", choices=KINDS)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    failed = passed = 0
    for name in [options.only] if options.only else KINDS:
        wrong = 0
        for number in range(options.rounds):
            seed = options.seed + number
            folder = tempfile.mkdtemp(prefix="feedrate-processes-", dir="/var/tmp")
            now = Round(os.path.abspath(options.feedrate), folder, random.Random(f"{name} {seed}"))
            try:
                KINDS[name](now)
            finally:
                shutil.rmtree(folder)
            if now.problems:
                wrong += 1
                print(f"FAILED {name}, --seed {seed} --rounds 1: " + "; ".join(now.problems))
        print(f"{name}: {options.rounds - wrong} of {options.rounds} rounds right")
        sys.stdout.flush()
        failed += wrong
        passed += options.rounds - wrong
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
