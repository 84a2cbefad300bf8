#!/usr/bin/env python3
"""Kills a writer of checkpoints at random moments of writing, publishing and pruning, and holds what
is left to two promises: what was visible before the kill is there after it or has a newer one in its
place, and restore finds a whole checkpoint whose every byte is as it was written."""
import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

MODEL = """name: tiny
title: "a tiny model"
source: "made for tests"
transformer:
  layers: 2
  hidden: 64
  feed_forward: 160
  heads: 4
  kv_heads: 2
  vocabulary: 500
parallelism: {tensor: 2, data: 2, zero_stage: 1, source: "tests"}
"""
KEEP = 2


def steps(directory):
    try:
        names = os.listdir(directory)
    except FileNotFoundError:
        return set()
    return {int(name[5:]) for name in names if name.startswith("step-") and name[5:].isdigit()}


# Each is a directory of its own, so that one way to write never builds upon another's.
WAYS = {"sync": [], "async": ["--async"], "incremental": ["--incremental", "--changed", "20%",
                                                           "--increments", "4"],
        "levels": ["--async", "--incremental", "--changed", "20%", "--local"]}


def restore(feedrate, directory, *options):
    done = subprocess.run([feedrate, "restore", directory, "--quiet", "--json", "-", *options],
                          capture_output=True, text=True, timeout=60)
    return done.returncode, json.loads(done.stdout)["result"] if done.returncode == 0 else done.stderr


def check(feedrate, directory, newest, options=()):
    """What is wrong, if anything, when `newest` was visible before the kill."""
    status, result = restore(feedrate, directory, *options)
    if newest is None:
        return "" if status != 0 or result["passes"] else "restored nothing"
    if status != 0:
        return f"restore failed ({status}): {result}"
    step = result["passes"][0]["step"]
    if step < newest:
        return f"step {newest} was visible, step {step} was restored"
    if result["skipped"]:
        return f"a visible checkpoint was not whole: {result['skipped']}"
    return ""


def round_of(feedrate, model, directory, layout, way, rng):
    """One kill. An error text, or '' and whether a checkpoint was being written."""
    levels = [directory] + ([directory + "-local"] if way == "levels" else [])
    before = [steps(level) for level in levels]
    command = [feedrate, "checkpoint", model, directory, "--layout", layout, "--count", "100000",
               "--keep", str(KEEP), "--quiet", "--seed", "7", *WAYS[way], *levels[1:]]
    if way == "incremental" and before[0] and rng.random() < 0.3:
        command = [feedrate, "compact", directory, "--keep", "1", "--quiet"]
    writer = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                              start_new_session=True)
    compacts = command[1] == "compact"
    time.sleep(rng.uniform(0.001, 0.04) if compacts else rng.uniform(0.005, 0.15))
    if writer.poll() not in ((None, 0) if compacts else (None,)):
        return f"{' '.join(command)} ended by itself: {writer.stderr.read().decode()}", False
    seen = [steps(level) | earlier for level, earlier in zip(levels, before)]
    half = writer.poll() is None and compacts
    if writer.poll() is None:
        os.killpg(writer.pid, signal.SIGKILL)
    writer.wait()
    half |= any(name.endswith(".part") for level in levels if os.path.isdir(level)
                for name in os.listdir(level))
    problem = check(feedrate, directory, max(seen[0], default=None))
    if not problem and len(levels) > 1 and (seen[0] or seen[1]) and os.path.isdir(directory):
        problem = check(feedrate, directory, max(seen[0] | seen[1]), ["--local", levels[1]])
    return problem, half


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--feedrate", required=True)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--layouts", nargs="+", default=["safetensors", "torch", "dcp", "raw", "shared"])
    parser.add_argument("--seed", type=int, default=int(time.time()))
    args = parser.parse_args()
    feedrate = os.path.abspath(args.feedrate)
    rng = random.Random(args.seed)
    folder = tempfile.mkdtemp(prefix="feedrate-crash-")
    try:
        model = os.path.join(folder, "tiny.yaml")
        with open(model, "w", encoding="utf-8") as file:
            file.write(MODEL)
        interrupted = 0
        for number in range(args.kills):
            layout = args.layouts[number % len(args.layouts)]
            way = list(WAYS)[number // len(args.layouts) % len(WAYS)]
            problem, half = round_of(feedrate, model, os.path.join(folder, f"{layout}-{way}"),
                                     layout, way, rng)
            interrupted += half
            if problem:
                sys.exit(f"kill {number} ({layout}, {way}, --seed {args.seed}): {problem}")
        # A test whose kills all fell between checkpoints would prove nothing.
        if interrupted < args.kills // 10:
            sys.exit(f"only {interrupted} of {args.kills} kills fell into a checkpoint")
        print(f"{args.kills} kills, {interrupted} of them within a checkpoint: none was lost")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
