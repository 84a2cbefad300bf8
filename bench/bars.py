#!/usr/bin/python3
"""The bars that need no tuning: each prints its figure beside its bar. See HACKING.md.

  bench/bars.py unet3d|cached|verify|scan|null|memory|model|virtual|injection|startup|all [--dir bench-data]
"""
import argparse
import json
import math
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PROGRAM = os.path.join(ROOT, "build/release/feedrate")


def feedrate(*arguments, prefix=()):
    command = [*prefix, PROGRAM, *map(str, arguments), "--quiet", "--json", "-"]
    report = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return {**report["result"], **report}


def verdict(name, value, bar, ok):
    print(f"{name}: {value} (bar {bar}) {'ok' if ok else 'MISSED'}", flush=True)
    return ok


def set_huge_pages(count):
    with open("/proc/sys/vm/nr_hugepages", "w") as file:
        file.write(str(count))


def fio_large_reads(directory):
    path = os.path.join(directory, "packed.bin")
    if not os.path.exists(path):
        subprocess.run(["fio", "--name=w", f"--filename={path}", "--size=4g", "--rw=write", "--bs=4m",
                        "--direct=1", "--ioengine=io_uring", "--iodepth=4", "--refill_buffers"],
                       check=True, capture_output=True)
    set_huge_pages(160)
    out = subprocess.run(["fio", "--name=r", "--output-format=json", f"--filename={path}", "--rw=read",
                          "--bs=4m", "--iodepth=16", "--direct=1", "--ioengine=io_uring", "--thread",
                          "--mem=shmhuge", "--fixedbufs", "--registerfiles", "--time_based", "--runtime=6"],
                         check=True, capture_output=True, text=True).stdout
    set_huge_pages(0)
    read = json.loads(out)["jobs"][0]["read"]
    return read["io_bytes"] / (read["runtime"] / 1000)


def unet3d(args):
    data = os.path.join(args.dir, "unet3d")
    ratios = []
    for _ in range(args.rounds):
        fio_rate = fio_large_reads(args.dir)
        search = feedrate("find", "unet3d", data, "--size", "6GiB", "--budget", "60s")["searches"][0]
        run = search["at_answer"] or search["beyond"]
        moved = run["result"]["metrics"]["sustained_bytes_per_second"]
        ratios.append(moved / fio_rate)
        print(f"  find: {search['accelerators']} accelerators, moved {moved / 1e9:.2f} GB/s at AU "
              f"{run['result']['metrics']['sustained_utilisation']:.3f}; fio {fio_rate / 1e9:.2f} GB/s")
        print(f"  {search['reason']}")
    ratio = statistics.median(ratios)
    return verdict("3D U-Net against fio's 4 MiB reads", f"{ratio:.3f}", 0.9, ratio >= 0.9)


def cached(args):
    data = os.path.join(args.dir, "resnet50")
    subprocess.run([PROGRAM, "datagen", "resnet50", data, "--size", "2500MiB", "--quiet"], check=True,
                   capture_output=True)
    for folder, _, names in os.walk(data):
        for name in names:
            with open(os.path.join(folder, name), "rb", buffering=0) as file:
                while file.read(1 << 20):
                    pass
    search = feedrate("find", "resnet50", data, "--io", "buffered", "--cache", "measure", "--threads", 1,
                      "--budget", "90s", "--max", 64, prefix=("taskset", "-c", "1"))["searches"][0]
    client = search["at_answer"]["result"]["client"]
    user = client["cpu_user_seconds"] / (client["cpu_user_seconds"] + client["cpu_system_seconds"])
    raw = raw_cached_rate(data)
    most = raw / (0.9 * search["at_answer"]["result"]["workload"]["demand_bytes_per_second"])
    print(f"  {search['reason']}")
    print(f"  one thread of plain pread(256 KiB) moves {raw / 1e9:.2f} GB/s here: at most {most:.1f}")
    count = search["accelerators"]
    verdict("user share of the CPU time", f"{user:.3f}", 0.1, user <= 0.1)
    return verdict("H100s from the page cache on one core", count, 40, count >= 40)


def raw_cached_rate(data):
    buffer = bytearray(256 << 10)
    begin = time.monotonic()
    total = 0
    os.sched_setaffinity(0, {1})
    for folder, _, names in os.walk(data):
        for name in names:
            with open(os.path.join(folder, name), "rb", buffering=0) as file:
                while got := file.readinto(buffer):
                    total += got
    os.sched_setaffinity(0, range(os.cpu_count()))
    return total / (time.monotonic() - begin)


def null(args):
    result = feedrate("train", "cosmoflow", "--storage", "null", "-n", 64, "--step-time", "0.375ms",
                      "--threads", 1, "--time", "10s")
    au = result["metrics"]["accelerator_utilisation"]
    return verdict("null storage, 64 accelerators at 0.375 ms, AU", f"{au:.4f}", 0.995, au >= 0.995)


def memory(args):
    result = feedrate("train", "unet3d", "--storage", "null", "-n", 200, "--size", "1TB", "--time", "5s")
    peak = result["client"]["peak_memory_bytes"]
    return verdict("3D U-Net, 200 accelerators on null, peak MiB", peak >> 20, 1024, peak < 1 << 30)


def model(args):
    ok = True
    demand = 4 * 100000 / 0.02  # bytes/s of one accelerator
    generator = random.Random(5)
    for jitter, needed in ((False, 20), (True, 19)):
        right = 0
        for _ in range(20):
            carried = generator.randint(1, 12) + generator.uniform(0.1, 0.9)
            latency = "{distribution: exponential, mean: 1ms}" if jitter else "1ms"
            with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
                file.write(f"name: bar\nbacking: \"null\"\nlatency: {latency}\n"
                           f"bandwidth: {carried * 0.9 * demand / 1e6:.6f}MB/s\n")
                file.flush()
                found = feedrate("find", os.path.join(ROOT, "bench/model_job.yaml"), "--storage",
                                 f"model:{file.name}", "--budget", "40s")["searches"][0]["accelerators"]
            right += found == math.floor(carried)
            if found != math.floor(carried):
                print(f"  carried {carried:.3f}, found {found}")
        ok &= verdict(f"find on a real-clock model, jitter {'on' if jitter else 'off'}, right of 20",
                      right, needed, right >= needed)
    return ok


def virtual(args):
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        file.write("name: bar\nbacking: \"null\"\nlatency: {distribution: lognormal, median: 1ms, p99: 9ms}\n"
                   "bandwidth: 250GB/s\n")
        file.flush()
        runs = []
        for _ in range(2):
            begin = time.monotonic()
            runs.append(feedrate("train", "resnet50", "--storage", f"model:{file.name}", "-n", 1024,
                                 "--clock", "virtual", "--steps", 1000))
            seconds = time.monotonic() - begin
    for run in runs:
        del run["host"]
    same = verdict("same seed on the virtual clock, same JSON", runs[0] == runs[1], True, runs[0] == runs[1])
    rate = runs[1]["metrics"]["samples"] / seconds / 1e6
    return verdict("virtual samples a second, million", f"{rate:.1f}", 3, rate >= 3) and same


INJECTION_STEPS = 200
BASE_MODEL = {"open": "1ms", "latency": "4ms", "stream_bandwidth": "100MB/s"}
# What is injected, the cause that it must move, and by how many ms a step (a sample of 100 kB).
INJECTIONS = [
    ("open + 5 ms", {"open": "6ms"}, [], "open", 5),
    ("read latency + 2 ms", {"latency": "6ms"}, [], "first-byte", 2),
    ("bandwidth 100 to 25 MB/s", {"stream_bandwidth": "25MB/s"}, [], "transfer", 3),
    ("decoding 5 ms a sample", {}, ["--decode-time", "5ms"], "decode", 5),
    ("one directory of 4 + 20 ms", {"slow": "[{path: train/00002/, latency: 20ms}]"}, [], "first-byte", 5),
]


def lost_by_cause(run):
    causes = {share["cause"]: (share["own_ns"] + share["carried_ns"]) / 1e6 for share in run["stalls"]["causes"]}
    assert run["stalls"]["wall_ns"] == run["stalls"]["compute_ns"] + round(sum(causes.values()) * 1e6)
    return causes, run["stalls"]["wall_ns"] / 1e6


def injected(clock, model, options, accelerators=1, steps=INJECTION_STEPS, compute="100us", readers=1):
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        file.write("name: injection\nbacking: \"null\"\n" + "".join(f"{key}: {value}\n" for key, value in model.items()))
        file.flush()
        return lost_by_cause(feedrate(
            "train", "cosmoflow", "--set", f"dataset.files={steps * accelerators}", "--set", "dataset.sample_bytes_stdev=0",
            "--set", "dataset.sample_bytes_mean=100000", "--set", "dataset.layout=subfolders", "--set",
            "dataset.folders=4", "--storage", f"model:{file.name}", "--clock", clock, "--step-time", compute,
            "--batch", 1, "--readers", readers, "--prefetch", readers, "--steps", steps, "-n", accelerators, *options))


def injection(args):
    """One known delay at a time: the stall ledger must move its own cause by the analytic amount."""
    ok = True
    for clock in ("virtual", "real"):
        base, wall = injected(clock, BASE_MODEL, [])
        trials = [(name, base, wall, injected(clock, {**BASE_MODEL, **model}, options)[0], cause, delay * INJECTION_STEPS)
                  for name, model, options, cause, delay in INJECTIONS]
        # Three ranks with all their reads ahead; the steps of one take half as long again.
        fed, fed_wall = injected(clock, BASE_MODEL, [], 3, 100, "20ms", 3)
        slow = injected(clock, BASE_MODEL, ["--slow-rank", "1=1.5"], 3, 100, "20ms", 3)[0]
        trials.append(("rank 1 of 3: steps 20 to 30 ms", fed, fed_wall, slow, "compute", 2 * 100 * 10))
        for name, before, wall_ms, after, cause, expected in trials:
            points = {key: 100 * (after[key] - before[key]) / wall_ms for key in after}
            others = max((abs(value), key) for key, value in points.items() if key != cause)
            wanted = 100 * expected / wall_ms
            good = abs(points[cause] - wanted) <= 5 and others[0] <= 2
            ok &= verdict(f"{clock} clock, {name}: {cause} moved by {points[cause]:.1f} points",
                          f"{wanted:.1f} expected, others {others[0]:.1f} at most ({others[1]})", "5 and 2", good)
    return ok


def verify(args):
    """Reading from the page cache and checking every byte, on one core."""
    data = os.path.join(args.dir, "resnet50")
    subprocess.run([PROGRAM, "datagen", "resnet50", data, "--size", "2500MiB", "--quiet"], check=True,
                   capture_output=True)
    rates, prices = [], []
    for round_ in range(args.rounds + 1):
        run = feedrate("train", "resnet50", data, "--io", "buffered", "--cache", "measure", "--threads", 1,
                       "--step-time", "1ms", "--epochs", 1, "--verify", prefix=("taskset", "-c", "1"))
        if round_ > 0:  # the first fills the cache
            rates.append(run["metrics"]["bytes_per_second"])
            prices.append(run["processing"]["bytes"] / run["processing"]["cpu_seconds"])
    print(f"  checking alone: {statistics.median(prices) / 1e9:.2f} GB/s of CPU time")
    gigabytes = statistics.median(rates) / 1e9
    return verdict("read from the page cache and verified, GB/s on one core", f"{gigabytes:.2f}", 3,
                   gigabytes >= 3)


def drop_caches():
    subprocess.run(["sync"], check=True)
    with open("/proc/sys/vm/drop_caches", "w") as file:
        file.write("3")


def timed(command):
    begin = time.monotonic()
    subprocess.run(command, check=False, capture_output=True)
    return time.monotonic() - begin


def scan(args):
    """Finding 200,000 small files: a whole run of one step against find, both cold. Needs root."""
    data = os.path.join(args.dir, "scan")
    if not os.path.exists(data):
        for folder in range(200):
            os.makedirs(f"{data}/class{folder:03}")
            for number in range(1000):
                with open(f"{data}/class{folder:03}/{number:06}.bin", "wb") as file:
                    file.write(b"x" * (100 + number % 300))
    ratios = []
    for _ in range(args.rounds):
        drop_caches()
        walk = timed(["find", data, "-type", "f", "-size", "+0"])
        drop_caches()
        ours = timed([PROGRAM, "train", "resnet50", "--data", data, "--steps", "1", "--batch", "1",
                      "--step-time", "1ms", "--io", "buffered", "--cache", "measure", "--quiet"])
        ratios.append(ours / walk)
    ratio = statistics.median(ratios)
    return verdict("200,000 files: scan and one step against find", f"{ratio:.2f}", 1.5, ratio <= 1.5)


def startup(args):
    ok = True
    for arguments in (["--help"], ["show", "resnet50"], ["plan", "resnet50", "--accelerators", "64", "--type", "h100"]):
        times = []
        for _ in range(20):
            begin = time.monotonic()
            subprocess.run([PROGRAM, *arguments], check=True, capture_output=True)
            times.append(time.monotonic() - begin)
        milliseconds = statistics.median(times) * 1000
        ok &= verdict(f"feedrate {' '.join(arguments)}, ms", f"{milliseconds:.1f}", 20, milliseconds < 20)
    return ok


CHECKPOINT = ["llama3-8b", "--scale", "0.02", "--ranks", "2", "--zero", "1"]


def checkpoints(directory, *options):
    shutil.rmtree(directory, ignore_errors=True)
    result = feedrate("checkpoint", *CHECKPOINT[:1], directory, *CHECKPOINT[1:], *options)
    return result["passes"]


def checkpoint_modes(args):
    """Stall of an asynchronous checkpoint against a synchronous one, and what incremental ones store."""
    directory = os.path.join(args.dir, "checkpoints")
    stalls = {"": [], "--async": []}
    for _ in range(args.rounds):
        for mode, times in stalls.items():
            passes = checkpoints(directory, "--count", "4", "--every", "6s", *filter(None, [mode]))
            times += [one["blocked_seconds"] for one in passes[1:]]
    ratio = statistics.median(stalls["--async"]) / statistics.median(stalls[""])
    ok = verdict("stall of an asynchronous checkpoint against a synchronous one", f"{ratio:.3f}", "<= 0.15",
                 ratio <= 0.15)
    passes = checkpoints(directory, "--count", "6", "--incremental", "--changed", "10%", "--increments", "8")
    share = sum(one["stored_bytes"] for one in passes[1:]) / sum(one["bytes"] for one in passes[1:])
    ok &= verdict("bytes of incremental checkpoints, 10 % of the blocks changed", f"{share:.4f}", "<= 0.115",
                  share <= 0.115)
    restored = feedrate("restore", directory)
    ok &= verdict("restored from so many steps, every byte checked", restored["steps_read"], 6,
                  restored["steps_read"] == 6 and restored["verified"])
    shutil.rmtree(directory)
    return ok


def goodput(args):
    """A month of 16,384 accelerators on the virtual clock against Daly's closed form."""
    model = os.path.join(args.dir, "fs.yaml")
    with open(model, "w", encoding="utf-8") as file:
        file.write("name: fs\nbandwidth: 2000GB/s\nstream_bandwidth: 2GB/s\n")
    ok = True
    for interval in ([], ["--every", "20m"], ["--every", "1h"], ["--every", "30m", "--async"]):
        ratios, seconds = [], []
        for seed in range(1, 6):
            begin = time.monotonic()
            run = feedrate("checkpoint", "llama3-405b", "x", "--ranks", "16384", "--tensor-parallel", "8",
                           "--pipeline-parallel", "16", "--zero", "1", "--storage", f"model:{model}",
                           "--clock", "virtual", "--mtbf", "50000h", "--time", "30d", "--seed", str(seed),
                           *interval)["goodput"]
            seconds.append(time.monotonic() - begin)
            ratios.append(run["goodput"] / run["closed_form"])
        worst = max(ratios, key=lambda ratio: abs(ratio - 1))
        ok &= verdict(f"goodput against the closed form, {' '.join(interval) or 'best interval'}, worst of 5 seeds"
                      f" ({statistics.median(seconds):.1f} s each)", f"{worst:.4f}", "0.98 to 1.02",
                      abs(worst - 1) <= 0.02)
    return ok


def main():
    bars = [unet3d, cached, verify, scan, null, memory, model, virtual, injection, startup, checkpoint_modes, goodput]
    names = [bar.__name__ for bar in bars]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=names + ["all"])
    parser.add_argument("--dir", default="bench-data")
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    os.makedirs(args.dir, exist_ok=True)
    results = [bar(args) for bar in bars if args.what in (bar.__name__, "all")]
    sys.exit(0 if all(results) else 1)


if __name__ == "__main__":
    main()
