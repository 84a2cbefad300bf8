#!/usr/bin/python3
"""Runs every fuzzer for a while; fails when one finds something.

  fuzz/run_fuzzers.py build/fuzz/fuzz/feedrate_fuzz [--seconds 60] [--only TARGET] [--keep]

Starts from fuzz/corpus/TARGET and the samples that foreign software wrote (testdata/). --keep adds
to the corpus what reached new code, made as few and small as possible. What was found is kept in
build/fuzz/findings/.
"""
import argparse
import concurrent.futures
import glob
import os
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
LARGEST_SEED = 64 << 10
KEPT, LARGEST_KEPT = 50, 1024  # inputs of a target, and the size of one
TEXTS = {"workload": ["catalog/workloads/*.yaml"], "dlio": ["feedrate/workload/testdata/*"],
         "model": ["catalog/**/*.yaml"], "catalogue": ["catalog/**/*.yaml"]}


def seeds(target):
    """What is a good start: samples of the format, texts of the catalogue, and the kept corpus."""
    name = target.removeprefix("decode-")
    patterns = TEXTS.get(target, [f"feedrate/format/{name}/testdata/*"])
    files = [path for pattern in patterns for path in glob.glob(os.path.join(ROOT, pattern), recursive=True)
             if os.path.isfile(path) and not path.endswith((".py", ".md"))]
    files += glob.glob(os.path.join(ROOT, "fuzz/corpus", target, "*"))
    return [path for path in files if os.path.getsize(path) <= LARGEST_SEED]


def fuzz(program, target, seconds, keep):
    findings = os.path.join(ROOT, "build/fuzz/findings", target)
    os.makedirs(findings, exist_ok=True)
    corpus = os.path.join(ROOT, "fuzz/corpus", target)
    environment = {**os.environ, "FEEDRATE_FUZZ": target}
    with tempfile.TemporaryDirectory() as work:
        grown, start = os.path.join(work, "grown"), os.path.join(work, "start")
        for folder in (grown, start):
            os.mkdir(folder)
        for number, path in enumerate(seeds(target)):
            shutil.copy(path, os.path.join(start, str(number)))
        done = subprocess.run([program, grown, start, f"-max_total_time={seconds}", "-rss_limit_mb=1024",
                               "-timeout=10", f"-max_len={LARGEST_SEED}", "-print_final_stats=1", "-close_fd_mask=1",
                               f"-artifact_prefix={findings}/"],
                              env=environment, stderr=subprocess.PIPE, text=True, errors="replace")
        runs = [line.split()[-1] for line in done.stderr.splitlines() if "number_of_executed_units" in line]
        if keep and done.returncode == 0:
            fresh = os.path.join(work, "fresh")
            os.mkdir(fresh)
            subprocess.run([program, "-merge=1", "-close_fd_mask=3", f"-max_len={LARGEST_KEPT}", fresh, start, grown],
                           env=environment, check=True, stderr=subprocess.DEVNULL)
            shutil.rmtree(corpus, ignore_errors=True)
            os.makedirs(corpus)
            by_size = sorted(os.scandir(fresh), key=lambda entry: entry.stat().st_size)
            for entry in by_size[:KEPT]:
                shutil.copy(entry.path, corpus)
    return done.returncode, runs[0] if runs else "?", done.stderr


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--only")
    parser.add_argument("--keep", action="store_true")
    args = parser.parse_args()
    program = os.path.abspath(args.program)
    targets = subprocess.run([program], env={**os.environ, "FEEDRATE_FUZZ": "list"}, check=True,
                             capture_output=True, text=True).stdout.split()
    if args.only and args.only not in targets:
        sys.exit(f"--only: no fuzzer '{args.only}'; there are {', '.join(targets)}")
    chosen = [args.only] if args.only else targets
    found = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        runs = {target: pool.submit(fuzz, program, target, args.seconds, args.keep) for target in chosen}
        for target, run in runs.items():
            status, count, output = run.result()
            print(f"{target}: {count} inputs in {args.seconds} s: {'ok' if status == 0 else 'FOUND SOMETHING'}",
                  flush=True)
            if status != 0:
                found += 1
                print(output[-6000:])
    print(f"{len(chosen) - found} fuzzers found nothing, {found} found something")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
