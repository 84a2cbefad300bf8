#!/usr/bin/python3
"""Makes, checks and trains on every workload of the catalogue at a share of its published size.

  bench/every_workload.py [--share 1%] [--dir bench-data] [--only NAME]

For each: datagen, then two epochs with every byte verified, steps that take no time. It fails unless
each sample was read exactly once an epoch (the last, incomplete batch is left out, as in training)
and no byte was wrong. Data is removed after each. Needs as much disk as the largest takes.
"""
import argparse
import json
import os
import shutil
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PROGRAM = os.path.join(ROOT, "build/release/feedrate")


def feedrate(*arguments):
    return subprocess.run([PROGRAM, *map(str, arguments), "--quiet"], capture_output=True, text=True)


def check(name, directory, share):
    begin = time.monotonic()
    made = feedrate("datagen", name, directory, "--size", share)
    if made.returncode != 0:
        return f"datagen: {made.stderr.strip()}", ""
    generation = time.monotonic() - begin
    files = json.load(open(os.path.join(directory, "feedrate.json")))["files"]
    batch = ["--batch", 1] if files < 10 else []  # 1% of 3D U-Net is one file, less than a batch
    run = feedrate("train", name, directory, "--epochs", 2, "--step-time", "1us", "--verify", "--json", "-", *batch)
    if run.returncode not in (0, 1):
        return f"train: {run.stderr.strip()}", ""
    result = json.loads(run.stdout)["result"]
    metrics, samples = result["metrics"], result["dataset"]["samples"]
    batch = result["workload"]["batch_samples"]
    whole = samples // batch * batch
    gigabytes = metrics["bytes_moved"] / 1e9
    facts = (f"{result['dataset']['files']} files, {samples} samples, {result['dataset']['bytes'] / 1e9:.2f} GB "
             f"made in {generation:.0f} s; {gigabytes:.2f} GB read in {metrics['seconds']:.0f} s, "
             f"{metrics['bytes_moved'] / max(1, metrics['bytes_asked']) - 1:.2%} of it alignment")
    if not result["valid"] or result["errors"]:
        return f"{result['invalid_reasons']} {result['errors']}", facts
    if metrics["samples_read"] not in (2 * samples, 2 * whole):
        return f"read {metrics['samples_read']} samples, not {2 * whole} or {2 * samples}", facts
    return "", facts


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--share", default="1%")
    parser.add_argument("--dir", default="bench-data")
    parser.add_argument("--only")
    args = parser.parse_args()
    names = sorted(os.path.splitext(name)[0] for name in os.listdir(os.path.join(ROOT, "catalog/workloads")))
    bad = 0
    for name in [args.only] if args.only else names:
        directory = os.path.join(args.dir, "every_" + name)
        shutil.rmtree(directory, ignore_errors=True)
        problem, facts = check(name, directory, args.share)
        shutil.rmtree(directory, ignore_errors=True)
        bad += bool(problem)
        print(f"{name}: {problem or 'ok'}{'; ' if facts else ''}{facts}", flush=True)
    print(f"{len(names) if not args.only else 1} workloads at {args.share}, {bad} failed")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
