#!/usr/bin/python3
"""Judge (b): storages that are not ours, whose N is arithmetic. Needs root, fio, gcc and libfuse3.

  foreign_storages.py [--feedrate PROGRAM] [--only blkio,bucket,slots] [--runs 10] [--budget 30s]

blkio    a control group of version 1 limits the bytes a second that a process reads from the disk
bucket   a FUSE file system with a token bucket (slowfs.c): bytes a second
slots    the same with S reads at a time of fixed latency: S / latency operations a second
Each is first read with fio, which must move what the arithmetic says within 4 %; then
`find` runs so many times, and its interval must hold floor(rate / (threshold x demand)) in 9 of 10.
Exit status 77 where this host cannot set a storage up.
"""
import argparse
import contextlib
import json
import math
import os
import shutil
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
THRESHOLD = 0.9
FIO_WITHIN = 0.04
BLKIO = "/sys/fs/cgroup/blkio"

WORKLOAD = """name: {name}
title: "files of one sample each, for storages whose speed is known"
dataset:
  files: {files}
  format: file
  sample_bytes_mean: {sample}
order: random
au_threshold: {threshold}
accelerators:
  emulated:
    batch_samples: {batch}
    compute: {compute}
    source: "made up for the test"
"""
LARGE = {"name": "large", "files": 400, "sample": 1 << 20, "batch": 4, "compute": 0.4}
SMALL = {"name": "small", "files": 2000, "sample": 64 << 10, "batch": 16, "compute": 0.25}


def demand(job):
    """Samples a second of one accelerator that is never idle."""
    return job["batch"] / job["compute"]


def byte_rate(job, carried):
    """The bytes a second that carry so many accelerators at the threshold."""
    return round(carried * THRESHOLD * demand(job) * job["sample"])


SLOTS, LATENCY_US = 11, 20000
# name: job, samples a second by arithmetic, what the storage is told. No N is within 4 % of another.
STORAGES = {
    "blkio": (LARGE, byte_rate(LARGE, 5.5) / LARGE["sample"], byte_rate(LARGE, 5.5)),
    "bucket": (LARGE, byte_rate(LARGE, 7.5) / LARGE["sample"], f"rate={byte_rate(LARGE, 7.5)}"),
    "slots": (SMALL, SLOTS / (LATENCY_US / 1e6), f"slots={SLOTS},latency={LATENCY_US}"),
}


class Skip(Exception):
    """This host cannot set the storage up."""


def run(command, **more):
    done = subprocess.run(command, capture_output=True, text=True, check=False, **more)
    if done.returncode != 0:
        raise SystemExit(f"error: {' '.join(map(str, command))}: status {done.returncode}\n"
                         f"{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done.stdout


@contextlib.contextmanager
def blkio(folder, directory, bytes_a_second):
    """(directory, prefix of commands that are limited)."""
    if not os.path.exists(f"{BLKIO}/blkio.throttle.read_bps_device"):
        raise Skip("no blkio controller of cgroup version 1 with throttling")
    device = os.stat(directory).st_dev
    group = f"{BLKIO}/feedrate-truth-{os.getpid()}"
    os.mkdir(group)
    try:
        with open(f"{group}/blkio.throttle.read_bps_device", "w", encoding="ascii") as file:
            file.write(f"{os.major(device)}:{os.minor(device)} {bytes_a_second}")
        yield directory, ["sh", "-c", 'echo $$ >"$0/cgroup.procs"; exec "$@"', group]
    except OSError as error:
        raise Skip(f"no limit for the device of {directory}: {error}") from error
    finally:
        for _ in range(50):  # until the last process has gone
            try:
                os.rmdir(group)
                break
            except OSError:
                time.sleep(0.1)


@contextlib.contextmanager
def fuse(folder, directory, words):
    if not os.path.exists("/dev/fuse"):
        raise Skip("no /dev/fuse")
    program, mount = f"{folder}/slowfs", f"{folder}/mount"
    if not os.path.exists(program):
        flags = run(["pkg-config", "--cflags", "--libs", "fuse3"]).split()
        run(["gcc", "-O2", "-Wall", "-Wextra", "-Werror", f"{HERE}/slowfs.c", "-o", program, *flags,
             "-pthread"])
    os.makedirs(mount, exist_ok=True)
    with open(f"{folder}/slowfs.log", "w+", encoding="utf-8") as log:
        server = subprocess.Popen([program, mount, "-f", "-o", f"from={directory},{words}"], stderr=log)
        try:
            for _ in range(100):
                if os.path.ismount(mount):
                    break
                if server.poll() is not None:
                    log.seek(0)
                    raise Skip(f"the FUSE file system does not mount: {log.read().strip()}")
                time.sleep(0.05)
            else:
                raise Skip("the FUSE file system does not mount within 5 s")
            yield mount, []
        finally:
            if os.path.ismount(mount):
                run(["fusermount3", "-u", mount])
            server.terminate()
            server.wait()


def fio_rate(directory, prefix, job):
    """Samples a second that fio reads, direct, from the same files, each read a sample."""
    out = run([*prefix, "fio", "--name=r", "--output-format=json", f"--opendir={directory}/train",
               "--rw=randread", f"--bs={job['sample']}", "--iodepth=48", "--direct=1", "--readonly",
               "--ioengine=io_uring", "--norandommap", "--file_service_type=random", "--time_based",
               "--ramp_time=3", "--runtime=10"])
    read = json.loads(out[out.index("{"):])["jobs"][0]["read"]  # notes come before
    return read["io_bytes"] / (read["runtime"] / 1000) / job["sample"]


def found_interval(feedrate, workload, directory, prefix, budget):
    """N and its interval; N alone where the result has no interval yet. An interval that is open
    above has no upper end."""
    done = subprocess.run([*prefix, feedrate, "find", workload, directory, "--budget", budget, "--quiet",
                           "--json", "-"], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"error: find: status {done.returncode}\n{done.stderr[-2000:]}")
    answer = json.loads(done.stdout)
    result = answer["result"]["searches"][0]
    n = result["accelerators"]
    high = result.get("accelerators_high", n)
    return n, result.get("accelerators_low", n), math.inf if high is None else high


def judge(args, name, folder):
    job, samples, setting = STORAGES[name]
    carried = samples / (THRESHOLD * demand(job))
    n = math.floor(carried)
    assert carried >= 1.04 * n and carried <= 0.96 * (n + 1), "an arithmetic N too close to a boundary"
    workload, data = f"{folder}/{job['name']}.yaml", f"{folder}/{job['name']}"
    if not os.path.exists(data):
        with open(workload, "w", encoding="utf-8") as file:
            file.write(WORKLOAD.format(**{**job, "compute": f"{job['compute'] * 1000:g}ms"}, threshold=THRESHOLD))
        run([args.feedrate, "datagen", workload, data, "--quiet"])
    right = 0
    with (blkio if name == "blkio" else fuse)(folder, data, setting) as (directory, prefix):
        rate = fio_rate(directory, prefix, job)
        fine = abs(rate / samples - 1) <= FIO_WITHIN
        print(f"{name}: {samples:.1f} samples/s by arithmetic, which feed {carried:.2f}; fio reads {rate:.1f} "
              f"({100 * (rate / samples - 1):+.1f} %) {'ok' if fine else 'WRONG'}", flush=True)
        for number in range(args.runs):
            begin = time.monotonic()
            answer, low, high = found_interval(args.feedrate, workload, directory, prefix, args.budget)
            right += low <= n <= high
            print(f"  {number + 1}: {answer} ({low} to {high}) in {time.monotonic() - begin:.1f} s"
                  f"{'' if low <= n <= high else ', does not hold ' + str(n)}", flush=True)
    needed = math.ceil(0.9 * args.runs)
    good = fine and right >= needed
    print(f"{name}: the interval holds {n} in {right} of {args.runs} (bar {needed}) {'ok' if good else 'MISSED'}",
          flush=True)
    return good


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--feedrate", default=f"{ROOT}/build/release/feedrate")
    parser.add_argument("--only", default=",".join(STORAGES), help="names, with commas")
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--budget", default="30s")
    parser.add_argument("--dir", default="/var/tmp", help="on the disk that is throttled; 700 MiB")
    args = parser.parse_args()
    names = args.only.split(",")
    for name in names:
        if name not in STORAGES:
            parser.error(f"--only {name}: the storages are {', '.join(STORAGES)}")
    if os.geteuid() != 0 or shutil.which("fio") is None:
        print("skipped: only root can set the storages up, and fio must be installed")
        sys.exit(77)
    good, skipped = [], 0
    with tempfile.TemporaryDirectory(prefix="feedrate-foreign-", dir=args.dir) as folder:
        for name in names:
            try:
                good.append(judge(args, name, folder))
            except Skip as reason:
                skipped += 1
                print(f"{name}: skipped: {reason}")
    sys.exit(77 if skipped == len(names) else 0 if all(good) else 1)


if __name__ == "__main__":
    main()
