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


def restore(feedrate, directory):
    done = subprocess.run([feedrate, "restore", directory, "--quiet", "--json", "-"],
                          capture_output=True, text=True, timeout=60)
    return done.returncode, json.loads(done.stdout) if done.returncode == 0 else done.stderr


def round_of(feedrate, model, directory, layout, rng):
    """One kill. An error text, or '' and whether a checkpoint was being written."""
    before = steps(directory)
    writer = subprocess.Popen(
        [feedrate, "checkpoint", model, directory, "--layout", layout, "--count", "100000",
         "--keep", str(KEEP), "--quiet", "--seed", "7"],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True)
    time.sleep(rng.uniform(0.005, 0.15))
    if writer.poll() is not None:
        return f"the writer ended by itself: {writer.stderr.read().decode()}", False
    seen = steps(directory)
    os.killpg(writer.pid, signal.SIGKILL)
    writer.wait()
    half = any(name.endswith(".part") for name in os.listdir(directory)) \
        if os.path.isdir(directory) else False
    status, result = restore(feedrate, directory)
    if not seen and not before:
        return ("" if status != 0 or result["passes"] else "restored nothing"), half
    if status != 0:
        return f"restore failed ({status}): {result}", half
    step = result["passes"][0]["step"]
    if step < max(seen | before):
        return f"step {max(seen | before)} was visible, step {step} was restored", half
    if result["skipped"]:
        return f"a visible checkpoint was not whole: {result['skipped']}", half
    return "", half


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--feedrate", required=True)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--layouts", nargs="+", default=["safetensors", "raw", "shared"])
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
            problem, half = round_of(feedrate, model, os.path.join(folder, layout), layout, rng)
            interrupted += half
            if problem:
                sys.exit(f"kill {number} (layout {layout}, --seed {args.seed}): {problem}")
        # A test whose kills all fell between checkpoints would prove nothing.
        if interrupted < args.kills // 10:
            sys.exit(f"only {interrupted} of {args.kills} kills fell into a checkpoint")
        print(f"{args.kills} kills, {interrupted} of them within a checkpoint: none was lost")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
