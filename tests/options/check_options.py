#!/usr/bin/python3
"""Holds the program to the rows of its options: each range that --help shows is the one that is
checked, each word is taken and a wrong one gets a spelling hint, each default that is a plain value
is what holds without the option.

usage: check_options.py --feedrate PROGRAM --describe PROGRAM
"""
import argparse
import os
import re
import subprocess
import sys
import tempfile

# A command of each verb that runs in milliseconds and on which most options have an effect. What is
# not here works on real files alone; its options are those of the others.
SIMULATED = ["--storage", "null", "--clock", "virtual"]
COMMANDS = {
    "find": ["resnet50", *SIMULATED, "--size", "1GiB", "--max", "2", "--budget", "2s", "--quiet"],
    "train": ["resnet50", *SIMULATED, "--size", "1GiB", "--steps", "3", "--quiet"],
    "plan": ["resnet50"],
    "checkpoint": ["llama3-8b", "c", *SIMULATED, "--scale", "0.01", "--quiet"],
    "load": ["llama3-8b", "c", *SIMULATED, "--quiet"],
    "datagen": ["resnet50", "d", "--size", "1GiB", "--dry-run"],
}
# What must be said besides for a wrong value to be looked at.
BESIDES = {
    ("plan", "--replicas"): ["--model", "rnnt"],
    ("checkpoint", "--restart-time"): ["--time", "1d"],
}
# Defaults that are not what holds in the commands above, and why.
OTHER_DEFAULTS = {
    "--budget": "on the virtual clock the search goes on until it is sure",
    "--storage": "the commands say another",
    "--clock": "the commands say another",
}
UNITS = {"": 1, "kB/s": 1e3, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "us": 1e-6, "ms": 1e-3, "s": 1,
         "h": 3600, "d": 86400, "T": 1e12, "%": 0.01}
# The option is refused whatever its value is, so nothing can be learnt of its range.
NO_EFFECT = re.compile(r"has no effect|has no use|no job of this plan uses it")


class Check:
    def __init__(self, feedrate, folder):
        self.feedrate, self.folder = feedrate, folder
        self.failures, self.checks = [], 0
        self.texts, self.needs = {}, {}

    def run(self, verb, words):
        return subprocess.run([self.feedrate, verb, *words], cwd=self.folder, capture_output=True,
                              text=True, timeout=60, check=False)

    def base(self, verb, name, beside):
        """The command of the verb without this option, with what gives it an effect."""
        words = list(COMMANDS[verb])
        if name in words:
            at = words.index(name)
            del words[at:at + 2]
        while beside:  # what it needs may need something itself
            needed = beside.split(" or ")[0]
            words.append(needed)
            beside = self.needs[verb, needed.split("=")[0]]
        return words + BESIDES.get((verb, name), [])

    def expect(self, ok, verb, words, done):
        self.checks += 1
        if not ok:
            self.failures.append(f"feedrate {verb} {' '.join(words)}\n    status {done.returncode}: "
                                 f"{(done.stderr or done.stdout).strip()[:300]}")

    def refuses(self, verb, name, beside, value, *says):
        words = self.base(verb, name, beside) + [f"{name}={value}"]
        done = self.run(verb, words)
        if NO_EFFECT.search(done.stderr):
            return
        self.expect(done.returncode == 2 and done.stderr.startswith(f"error: {name}")
                    and all(text in done.stderr for text in says), verb, words, done)

    def ranges(self, verb, name, kind, among, beside):
        span = re.fullmatch(r"(\S+) to (\S+)", among)
        least = re.fullmatch(r"at least (\S+)", among)
        low = span.group(1) if span else least.group(1) if least else None
        if low is not None and value_of(low):
            self.refuses(verb, name, beside, below(low, kind), *([low] if kind == "count" else []))
        high = span.group(2) if span else None
        if high is not None and value_of(high) is not None:
            says = [] if kind == "number" else [high]
            self.refuses(verb, name, beside, above(high, kind), *says)

    def words(self, verb, name, among, beside):
        for word in among.split("|"):
            self.refuses(verb, name, beside, word + "x", f"did you mean '{word}'")
            words = self.base(verb, name, beside) + [f"{name}={word}"]
            done = self.run(verb, words)
            self.expect("unknown" not in done.stderr, verb, words, done)

    def default(self, verb, name, usual, beside):
        words = self.base(verb, name, beside)
        key = (verb, *words)
        if key not in self.texts:
            self.texts[key] = self.run(verb, words).stdout
        given = words + [f"{name}={usual}"]
        done = self.run(verb, given)
        if done.returncode == 2 and NO_EFFECT.search(done.stderr):
            return
        self.expect(done.returncode == 0 and done.stdout == self.texts[key], verb, given, done)


def value_of(text):
    match = re.fullmatch(r"([0-9.]+)([A-Za-z/%]*)", text)
    if match is None or match.group(2) not in UNITS:
        return None
    return float(match.group(1)) * UNITS[match.group(2)]


def split_unit(text):
    match = re.fullmatch(r"([0-9.]+)([A-Za-z/%]*)", text)
    return match.group(1), match.group(2)


def below(text, kind):
    number, unit = split_unit(text)
    if kind == "count" or (kind == "bytes" and number == "1"):
        return str(int(number) - 1) + unit
    return f"{float(number) / 2:.9f}{unit}"


def above(text, kind):
    number, unit = split_unit(text)
    return str(int(number) + 1) + unit if kind == "count" else f"{float(number) * 1.5:g}{unit}"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--feedrate", required=True)
    parser.add_argument("--describe", required=True)
    arguments = parser.parse_args()
    listed = subprocess.run([arguments.describe, "list"], capture_output=True, text=True, check=True)
    with tempfile.TemporaryDirectory() as folder:
        check = Check(os.path.abspath(arguments.feedrate), folder)
        rows = [line.split("\t") for line in listed.stdout.splitlines()]
        check.needs = {(verb, name): beside for verb, name, _, _, _, beside in rows}
        for verb, name, kind, usual, among, beside in rows:
            if verb not in COMMANDS or not name.startswith("--"):
                continue
            if kind == "words":
                check.words(verb, name, among, beside)
            elif kind not in ("text", "flag"):
                check.ranges(verb, name, kind, among, beside)
            plain = usual and (usual in among.split("|") or value_of(usual) is not None)
            if plain and name not in OTHER_DEFAULTS:
                check.default(verb, name, usual, beside)
    print("\n".join(check.failures) or f"{check.checks} checks of options passed")
    sys.exit(1 if check.failures or check.checks < 100 else 0)


if __name__ == "__main__":
    main()
