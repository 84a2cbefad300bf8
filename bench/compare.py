#!/usr/bin/python3
"""feedrate against fio on the same disk, interleaved, medians.

  bench/compare.py random   random 112 KiB and 4 KiB direct reads, one reactor, depths 16 and 64
  bench/compare.py files    10,000 files of 112 KiB in one directory, cold, against packed reads
  bench/compare.py generate datagen against fio's writes
  bench/compare.py checkpoint  4 GiB of checkpoint written with its syncs, and restored, 1 to 8 ranks
  bench/compare.py all

fio runs with its default buffers and with --mem=shmhuge (the stronger counts). The bar of each
line stands beside its ratio. Data goes to --dir (default ./bench-data) and stays there.
"""
import argparse
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def run(command, **options):
    return subprocess.run(command, check=True, capture_output=True, text=True, **options).stdout


def fio(arguments, huge):
    command = ["fio", "--name=b", "--output-format=json", "--thread", "--direct=1",
               "--ioengine=io_uring", "--norandommap=1", "--randrepeat=0"] + arguments
    if huge:
        command.append("--mem=shmhuge")
    job = json.loads(run(command))["jobs"][0]
    side = job["read"] if job["read"]["io_bytes"] else job["write"]
    seconds = side["runtime"] / 1000
    return {"bytes": side["io_bytes"], "seconds": seconds, "operations": side["total_ios"],
            "cpu_seconds": (job["usr_cpu"] + job["sys_cpu"]) / 100 * seconds}


def rate(sample):
    return sample["bytes"] / sample["seconds"] / 1e6


def cpu_per_gb(sample):
    return sample["cpu_seconds"] / (sample["bytes"] / 1e9)


def interleave(runners, rounds):
    samples = {name: [] for name in runners}
    for round_number in range(rounds):
        names = list(runners)
        if round_number % 2:
            names.reverse()
        for name in names:
            samples[name].append(runners[name]())
    return samples


def median(samples, measure):
    return statistics.median(measure(sample) for sample in samples)


def report(title, samples, ours, bar, cpu=True):
    print(f"\n{title}")
    for name, runs in samples.items():
        rates = sorted(rate(sample) for sample in runs)
        line = f"  {name:<22} {median(runs, rate):8.0f} MB/s [{rates[0]:.0f}..{rates[-1]:.0f}]"
        print(line + f"  {median(runs, cpu_per_gb):.4f} CPU-s/GB")
    peers = [name for name in samples if name != ours]
    strongest = max(peers, key=lambda name: median(samples[name], rate))
    ratio = median(samples[ours], rate) / median(samples[strongest], rate)
    ok = ratio >= bar
    print(f"  ratio to {strongest}: {ratio:.3f} (bar {bar}) {'ok' if ok else 'MISSED'}")
    if cpu:
        cpu_ratio = median(samples[ours], cpu_per_gb) / median(samples[strongest], cpu_per_gb)
        print(f"  CPU per GB, ratio: {cpu_ratio:.3f} (bar 1.0) {'ok' if cpu_ratio <= 1 else 'MISSED'}")
        ok = ok and cpu_ratio <= 1
    return ok


def huge_pages(wanted):
    with open("/proc/sys/vm/nr_hugepages", "w") as file:
        file.write(str(wanted))


def packed_file(directory):
    path = os.path.join(directory, "packed.bin")
    if not os.path.exists(path):
        run(["fio", "--name=w", f"--filename={path}", "--size=4g", "--rw=write", "--bs=4m",
             "--direct=1", "--ioengine=io_uring", "--iodepth=4", "--refill_buffers"])
    return path


def compare_random(args):
    path = packed_file(args.dir)
    ok = True
    for block in (114688, 4096):
        for depth in (16, 64):
            common = [f"--filename={path}", "--rw=randread", f"--bs={block}", f"--iodepth={depth}",
                      f"--runtime={args.seconds}", "--time_based", "--fixedbufs", "--registerfiles",
                      "--invalidate=0"]
            samples = interleave({
                "feedrate": lambda: json.loads(run([args.bench, "random", path, str(block),
                                                    str(depth), str(args.seconds)])),
                "fio": lambda: fio(common, False),
                "fio --mem=shmhuge": lambda: fio(common, True)}, args.rounds)
            ok &= report(f"random {block} B direct reads, depth {depth}", samples, "feedrate", 0.97)
    return ok


def compare_files(args):
    directory = os.path.join(args.dir, "files")
    if not os.path.isdir(directory):
        os.makedirs(directory)
        for number in range(10000):
            with open(os.path.join(directory, f"sample-{number:05}.bin"), "wb") as file:
                file.write(os.urandom(114688))
    path = packed_file(args.dir)
    common = [f"--filename={path}", "--rw=randread", "--bs=114688", f"--iodepth={args.depth}",
              f"--runtime={args.seconds}", "--time_based", "--fixedbufs", "--registerfiles"]

    def cold_files():
        run(["sync"])
        with open("/proc/sys/vm/drop_caches", "w") as file:
            file.write("3")
        return json.loads(run([args.bench, "files", directory, "114688", str(args.depth)]))

    samples = interleave({"feedrate, a file each": cold_files,
                          "fio packed": lambda: fio(common, False),
                          "fio packed, shmhuge": lambda: fio(common, True)}, args.rounds)
    return report("10,000 files of 112 KiB, cold, direct, one reactor", samples,
                  "feedrate, a file each", 0.85, cpu=False)


def compare_generate(args):
    ok = True
    for workload, size in (("resnet50", 4 << 30), ("unet3d", 4 << 30), ("cosmoflow", 2 << 30)):
        target = os.path.join(args.dir, "generated")

        def generate():
            shutil.rmtree(target, ignore_errors=True)
            begin, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
            run([args.program, "datagen", workload, target, "--size", str(size), "--quiet"])
            seconds = time.monotonic() - begin
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
            written = sum(os.path.getsize(os.path.join(folder, name))
                          for folder, _, names in os.walk(target) for name in names)
            shutil.rmtree(target)
            return {"bytes": written, "seconds": seconds, "cpu_seconds": cpu}

        def fio_writes(huge):
            shutil.rmtree(target, ignore_errors=True)
            os.makedirs(target)
            sample = fio([f"--directory={target}", "--rw=write", "--bs=4m", "--iodepth=4",
                          "--numjobs=4", "--group_reporting", f"--size={size // 4}", "--end_fsync=1",
                          "--fallocate=none", "--create_on_open=1", "--fixedbufs"], huge)
            shutil.rmtree(target)
            return sample

        samples = interleave({"feedrate datagen": generate, "fio": lambda: fio_writes(False),
                              "fio --mem=shmhuge": lambda: fio_writes(True)}, args.rounds)
        ok &= report(f"writing {size >> 30} GiB of {workload}", samples, "feedrate datagen", 0.9, cpu=False)
    return ok


def compare_checkpoint(args):
    """The same blocks, depth and files: a rank is a job of fio's. Ours is until the checkpoint is
    synced and visible, and sums up every tensor; fio's sync comes at the end of each job."""
    ok = True
    size = 4 << 30
    target = os.path.join(args.dir, "checkpoint")
    model = os.path.join(args.dir, "flat.yaml")
    with open(model, "w") as file:
        file.write(f"name: flat\ntitle: flat\nsource: bench\nparameters: {size // 14}\n")

    def feedrate(arguments, keep):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        result = json.loads(run([args.program] + arguments + ["--io", "direct", "--quiet", "--json", "-"]))["result"]
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        if not keep:
            shutil.rmtree(target)
        one = result["passes"][0]
        return {"bytes": one["bytes"], "seconds": one["seconds"],
                "cpu_seconds": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime}

    def fio_jobs(ranks, mode, huge):
        os.makedirs(target, exist_ok=True)
        sample = fio([f"--directory={target}", f"--rw={mode}", "--bs=4m", "--iodepth=4",
                      f"--numjobs={ranks}", "--group_reporting", f"--size={size // ranks}",
                      "--fallocate=none", "--fixedbufs"]
                     + (["--end_fsync=1", "--create_on_open=1"] if mode == "write" else []), huge)
        if mode == "write":
            shutil.rmtree(target)
        return sample

    for ranks in (1, 2, 4, 8):
        write = ["checkpoint", model, target, "--ranks", str(ranks), "--zero", "3", "--layout", "raw"]
        shutil.rmtree(target, ignore_errors=True)
        samples = interleave({"feedrate checkpoint": lambda: feedrate(write, False),
                              "fio": lambda: fio_jobs(ranks, "write", False),
                              "fio --mem=shmhuge": lambda: fio_jobs(ranks, "write", True)}, args.rounds)
        ok &= report(f"4 GiB of checkpoint written by {ranks} ranks", samples, "feedrate checkpoint", 0.97, cpu=False)
        feedrate(write, True)
        reads = {"feedrate restore": lambda: feedrate(["restore", target], True)}
        files = os.path.join(args.dir, "fio-checkpoint")
        os.makedirs(files, exist_ok=True)
        for huge in (False, True):
            reads["fio --mem=shmhuge" if huge else "fio"] = lambda huge=huge: fio(
                [f"--directory={files}", "--rw=read", "--bs=4m", "--iodepth=4", f"--numjobs={ranks}",
                 "--group_reporting", f"--size={size // ranks}", "--fallocate=none", "--fixedbufs"], huge)
        samples = interleave(reads, args.rounds)
        ok &= report(f"4 GiB of checkpoint restored by {ranks} ranks", samples, "feedrate restore", 0.97, cpu=False)
        shutil.rmtree(target)
        shutil.rmtree(files)
    return ok


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["random", "files", "generate", "checkpoint", "all"])
    parser.add_argument("--dir", default="bench-data")
    parser.add_argument("--build", default=os.path.join(ROOT, "build/release"))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--depth", type=int, default=128)
    args = parser.parse_args()
    args.bench = os.path.join(args.build, "bench/storage_bench")
    args.program = os.path.join(args.build, "feedrate")
    os.makedirs(args.dir, exist_ok=True)
    huge_pages(160)
    try:
        chosen = [compare_random, compare_files, compare_generate, compare_checkpoint]
        names = ["random", "files", "generate", "checkpoint"]
        results = [function(args) for name, function in zip(names, chosen) if args.what in (name, "all")]
    finally:
        huge_pages(0)
    sys.exit(0 if all(results) else 1)


if __name__ == "__main__":
    main()
