#!/usr/bin/python3
"""What `find` answers on this disk, held against fio. Needs root (huge pages) and fio.

  bench/find_bars.py disk [--only resnet50-h100,resnet50-v100,cosmoflow,unet3d] [--runs 5] [--keep]

R is fio's rate on the same files, in the same pattern, at the depth and read size that `find` says
it needed, before and after each search. Where both differ by more than 5 %, the search is repeated,
five times at most; every pair is listed. The interval must meet the range of floor(R / (threshold
x demand)) between both rates, and hold few whole numbers. For 3D U-Net, of which a disk feeds one or none,
AU of one accelerator is held against R / demand, 100 % at most.
"""
import argparse
import json
import math
import os
import re
import shutil
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PROGRAM = os.path.join(ROOT, "build/release/feedrate")
HUGE_PAGES = "/proc/sys/vm/nr_hugepages"
HUGE = 2 << 20
BLOCK = 4096
ATTEMPTS = 5
APART = 0.05
UNET_WITHIN = 0.03
NEEDED = 14 / 15

# Published batch and step time of one accelerator, threshold, how many samples a file has, how many
# bytes are made, how wide an interval may be for so many accelerators, and whether files are read in
# random order (else all of them a piece at a time, each from front to back).
CASES = {
    "resnet50-h100": ("resnet50", "h100", 400, 0.224, 0.9, 1251, "4GiB", lambda n: 3, False),
    "resnet50-v100": ("resnet50", "v100", 64, 0.195, 0.9, 1251, "4GiB", lambda n: 0.1 * n, False),
    "cosmoflow": ("cosmoflow", "h100", 1, 0.0035, 0.7, 1, "4GiB", lambda n: 3, True),
    "unet3d": ("unet3d", "h100", 7, 0.323, 0.9, 1, "6GiB", None, True),
}
UNITS = {"B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}


def run(command):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"error: {' '.join(map(str, command))}: status {done.returncode}\n"
                         f"{done.stdout[-1000:]}{done.stderr[-2000:]}")
    return done.stdout


class HugePages:
    """So many bytes of huge pages while inside; what there was before, afterwards."""

    def __init__(self, size):
        self.count = -(-size // HUGE) + 16

    @staticmethod
    def read():
        """How many there are, and how many of them nobody has."""
        with open("/proc/meminfo", encoding="ascii") as file:
            found = {key: int(value.split()[0]) for key, value in (line.split(":") for line in file)}
        return found["HugePages_Total"], found["HugePages_Free"] - found["HugePages_Rsvd"]

    @staticmethod
    def write(count):
        with open(HUGE_PAGES, "w", encoding="ascii") as file:
            file.write(str(count))

    def __enter__(self):
        with open(HUGE_PAGES, encoding="ascii") as file:
            self.before = int(file.read())
        total, free = self.read()
        self.write(total + self.count - min(free, self.count))
        free = self.read()[1]
        if free < self.count:
            self.write(self.before)
            raise SystemExit(f"error: {self.count} free huge pages are needed, the kernel gave {free}\n"
                             f"hint:  memory is in pieces: echo 1 > /proc/sys/vm/compact_memory")

    def __exit__(self, *_):
        self.write(self.before)


def sizes(directory):
    """Of the files that hold samples."""
    return [entry.stat().st_size for folder, _, _ in os.walk(f"{directory}/train")
            for entry in os.scandir(folder) if entry.is_file()]


class Files:
    """A data set, how its samples are read, and what fio makes of it."""

    def __init__(self, name, directory):
        self.name, self.directory = name, directory
        (self.workload, self.accelerator, self.batch, self.compute, self.threshold, self.per_file,
         self.size, self.width, self.random) = CASES[name]

    def measure(self):
        found = sizes(self.directory)
        self.file_bytes, self.smallest = sum(found) / len(found), min(found)
        # What fio reads are bytes of files, so demand is counted in them, too.
        self.demand = self.batch / self.compute * self.file_bytes / self.per_file

    def fio_rate(self, depth, transfer, seconds):
        """Bytes a second, files opened directly. A random file is read in equal pieces, each of any
        file next, and none longer than the smallest file: fio cannot read a block that is not there."""
        pieces = max(1, math.ceil(self.file_bytes / transfer)) if self.random else 1
        block = (min(int(self.file_bytes / pieces), self.smallest) if self.random else transfer) // BLOCK * BLOCK
        pattern = (["--rw=randread", "--norandommap", "--file_service_type=random"] if self.random
                   else ["--rw=read", "--file_service_type=roundrobin:1"])
        command = ["fio", "--name=r", "--output-format=json", "--thread", "--direct=1", "--readonly",
                   "--ioengine=io_uring", f"--iodepth={depth}", f"--bs={block}", *pattern,
                   f"--opendir={self.directory}/train", "--mem=shmhuge", "--time_based", "--ramp_time=1",
                   f"--runtime={seconds}"]
        # fio takes buffers for the depth rounded up to a power of two.
        size = (1 << (depth - 1).bit_length()) * block
        with HugePages(size):
            out = run(command)
        read = json.loads(out[out.index("{"):])["jobs"][0]["read"]  # notes come before
        return read["io_bytes"] / (read["runtime"] / 1000)

    def find(self, budget):
        out = run([PROGRAM, "find", self.workload, self.directory, "--accelerator", self.accelerator, "--size",
                   self.size, "--budget", budget, "--quiet", "--json", "-"])
        answer = json.loads(out)
        return Answer(answer["result"]["searches"][0])


class Answer:
    """N, its interval, and how the reads were made. Older results have no interval: then N is it;
    nor depth and size: then those of the run at the answer."""

    def __init__(self, result):
        self.n = result["accelerators"]
        self.low = result.get("accelerators_low", self.n)
        self.high = result.get("accelerators_high", self.n)
        if self.high is None:
            self.high = math.inf
        if "depth_reads" in result:
            self.depth, self.transfer = math.ceil(result["depth_reads"]), int(result["transfer_bytes"])
        else:
            ran = result["at_answer"] or result["beyond"]
            number, unit = re.fullmatch(r"([\d.,]+) (\w+)", ran["effective"]["transfer"]).groups()
            self.depth = int(ran["result"]["metrics"]["in_flight_limit"])
            self.transfer = int(float(number.replace(",", "")) * UNITS[unit])
        self.depth = max(1, self.depth)
        alone = [trial for trial in result.get("trials", []) if trial["accelerators"] == 1]
        # The longest trial of one accelerator says most.
        self.au_of_one = max(alone, key=lambda trial: trial["seconds"])["utilisation"] if alone else None


def held(files, answer, rates):
    """Whether the answer agrees with both rates, and the figures to print."""
    shares = sorted(rate / files.demand for rate in rates)
    if files.width is None:
        low, high = (100 * min(1.0, share) for share in shares)
        au = answer.au_of_one
        good = au is not None and low - 100 * UNET_WITHIN <= 100 * au <= high + 100 * UNET_WITHIN
        return good, f"AU of one {'unknown' if au is None else f'{100 * au:.1f} %'}", f"{low:.1f} to {high:.1f} %"
    low, high = (math.floor(share / files.threshold) for share in shares)
    numbers = answer.high - answer.low + 1
    good = answer.low <= high and answer.high >= low and numbers <= max(1, files.width(answer.n))
    return good, f"{answer.n} ({answer.low} to {answer.high})", f"{low} to {high}"


def measure(files, args, last):
    """One search between two runs of fio, again while those differ; the last answer, and whether it holds."""
    for attempt in range(1, ATTEMPTS + 1):
        before = files.fio_rate(last.depth, last.transfer, args.fio_seconds)
        depth_before = last.depth
        begin = time.monotonic()
        last = files.find(args.budget)
        took = time.monotonic() - begin
        after = files.fio_rate(last.depth, last.transfer, args.fio_seconds)
        good, found, wanted = held(files, last, (before, after))
        apart = abs(before - after) / min(before, after)
        again = apart > APART and attempt < ATTEMPTS
        print(f"| {files.name} | {before / 1e6:,.0f} at {depth_before} | {after / 1e6:,.0f} at {last.depth} x "
              f"{last.transfer >> 10} KiB | {100 * apart:.1f} % | {wanted} | {found} | {took:.1f} s | "
              f"{'again: the rates differ' if again else 'ok' if good else 'MISSED'} |", flush=True)
        if not again:
            return last, good


def disk(args):
    print("| case | fio before, MB/s | fio after, MB/s | apart | wanted | found | took | |\n"
          "| --- | --- | --- | --- | --- | --- | --- | --- |", flush=True)
    results = {}
    for name in args.only:
        files = Files(name, os.path.join(args.dir, CASES[name][0]))
        # The first search makes the data set, and says with which depth fio begins; it does not count.
        last = files.find(args.budget)
        files.measure()
        results[name] = []
        for _ in range(args.runs):
            last, good = measure(files, args, last)
            results[name].append(good)
    ok = True
    counted = [good for name, all_ in results.items() if name != "unet3d" for good in all_]
    if counted:
        needed = math.ceil(NEEDED * len(counted) - 1e-9)
        ok = sum(counted) >= needed
        print(f"\nintervals that meet fio's rates: {sum(counted)} of {len(counted)} (bar {needed}) "
              f"{'ok' if ok else 'MISSED'}")
    if "unet3d" in results:
        fine = all(results["unet3d"])
        print(f"3D U-Net, AU of one within 3 points: {sum(results['unet3d'])} of {len(results['unet3d'])} "
              f"{'ok' if fine else 'MISSED'}")
        ok = ok and fine
    return ok


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["disk"])
    parser.add_argument("--only", default=",".join(CASES), help="cases, with commas")
    parser.add_argument("--dir", default="bench-data/find")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--budget", default="30s")
    parser.add_argument("--fio-seconds", type=int, default=8)
    parser.add_argument("--keep", action="store_true", help="keep the data sets")
    args = parser.parse_args()
    args.only = args.only.split(",")
    for name in args.only:
        if name not in CASES:
            parser.error(f"--only {name}: the cases are {', '.join(CASES)}")
    if os.geteuid() != 0 or shutil.which("fio") is None:
        raise SystemExit("error: huge pages need root, and fio must be installed")
    # Only folders that this run made are removed afterwards.
    made = [folder for name in args.only
            if not os.path.exists(folder := os.path.join(args.dir, CASES[name][0]))]
    os.makedirs(args.dir, exist_ok=True)
    try:
        good = disk(args)
    finally:
        if not args.keep:
            for folder in set(made):
                shutil.rmtree(folder, ignore_errors=True)
            if not os.listdir(args.dir):
                os.rmdir(args.dir)
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
