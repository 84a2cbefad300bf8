#!/usr/bin/python3
"""Judge of `--client faithful`: a real PyTorch DataLoader over the same files on the same storage.

The job is what a training script is: `for batch in DataLoader(...)`, a step of known length, and
the next batch. Written from PyTorch's and the formats' documentation; it shares no code with
feedrate. Both read the same files, cold, through the page cache, behind the same limit of the
kernel's block layer (blkio throttle), one after the other, several times over.

    AU = time computed / wall time, both from the end of the first step of the run to the end of
         the last one

Settings are drawn from a seed, which is printed. Exit status: 0 when enough of the storage-bound
ones (AU of the job within 20 and 95 %) agree, 1 when not, 77 when this host cannot be limited.

    judge_torch.py --feedrate build/release/feedrate [--seed N] [--only 3,7]
"""
import argparse
import glob
import json
import os
import random
import shutil
import statistics
import struct
import subprocess
import sys
import tempfile
import time

SETTINGS, MUST_AGREE, POINTS = 12, 10, 3.0
BOUND = (20.0, 95.0)  # AU of a storage-bound setting, %
FORMATS = ("npz", "jpeg", "tfrecord")
SKIPPED = 77


def utilisation(steps, compute, wall, first_end):
    """AU in %: `steps` of `compute` seconds each, the first of which ended at `first_end`."""
    return 100 * (steps - 1) * compute / (wall - first_end)


# The training script: run with the limit on, as a process of its own.


def read_npz(path):
    import numpy

    with numpy.load(path) as arrays:
        return arrays["x"]


def read_jpeg(path):
    import numpy
    from PIL import Image

    with Image.open(path) as image:
        return numpy.asarray(image.convert("RGB"))


def record_places(paths):
    """TFRecord framing: length (8 B), its CRC (4 B), data, CRC of the data (4 B)."""
    places = []
    for path in paths:
        with open(path, "rb") as file:
            offset, end = 0, os.fstat(file.fileno()).st_size
            while offset < end:
                file.seek(offset)
                (length,) = struct.unpack("<Q", file.read(8))
                places.append((path, offset, 16 + length))
                offset += 16 + length
    return places


class Samples:
    """A map-style data set: what a worker calls is __getitem__."""

    def __init__(self, kind, folder, places):
        self.kind, self.files = kind, {}
        self.places = places if kind == "tfrecord" else data_files(folder)

    def __len__(self):
        return len(self.places)

    def __getitem__(self, number):
        import numpy

        if self.kind == "npz":
            return read_npz(self.places[number])
        if self.kind == "jpeg":
            return read_jpeg(self.places[number])
        path, offset, length = self.places[number]
        if path not in self.files:
            self.files[path] = open(path, "rb", buffering=0)
        record = os.pread(self.files[path].fileno(), length, offset)
        assert len(record) == length
        return numpy.frombuffer(record, dtype=numpy.uint8)


def collate(samples):
    import numpy
    import torch

    return torch.from_numpy(numpy.concatenate([sample.reshape(-1) for sample in samples]))


def train(job):
    import torch
    from torch.utils.data import DataLoader

    torch.set_num_threads(1)
    torch.manual_seed(job["seed"])
    options = {"prefetch_factor": 2} if job["workers"] else {}
    loader = DataLoader(
        Samples(job["format"], job["folder"], job["places"]),
        batch_size=job["batch"],
        shuffle=True,
        drop_last=True,
        num_workers=job["workers"],
        collate_fn=collate,
        **options,
    )
    clock, computed, ends, epochs = time.perf_counter, [], [], []
    begin = clock()
    for _ in range(job["epochs"]):
        asked = clock()
        for number, _batch in enumerate(loader):
            start = clock()
            if number == 0:
                epochs.append(start - asked)
            time.sleep(job["compute"])
            ends.append(clock())
            computed.append(ends[-1] - start)
    au = 100 * sum(computed[1:]) / (ends[-1] - ends[0])
    print(json.dumps({"au": au, "steps": len(ends), "wall": ends[-1] - begin, "fills": epochs}))


# The limit.


class Limit:
    """A blkio group of cgroup v1 with a read limit on the device that holds a folder."""

    ROOT = "/sys/fs/cgroup/blkio"

    def __init__(self, folder):
        device = os.stat(folder).st_dev
        self.device = f"{os.major(device)}:{os.minor(device)}"
        self.group = f"{self.ROOT}/feedrate_judge_{os.getpid()}"

    def __enter__(self):
        os.mkdir(self.group)
        return self

    def __exit__(self, *_):
        os.rmdir(self.group)

    def set(self, rate):
        with open(f"{self.group}/blkio.throttle.read_bps_device", "w") as file:
            file.write(f"{self.device} {int(rate)}")

    def run(self, command):
        def join():
            with open(f"{self.group}/cgroup.procs", "w") as file:
                file.write(str(os.getpid()))

        done = subprocess.run(command, preexec_fn=join, capture_output=True, text=True)
        if done.returncode not in (0, 1, 4):
            sys.exit(f"{' '.join(command)} ended with {done.returncode}:\n{done.stderr}")
        return done.stdout


def data_files(folder):
    found = glob.glob(f"{folder}/**/*", recursive=True)
    return sorted(f for f in found if f.endswith((".npz", ".jpg", ".tfrecord")))


def make_cold(folder):
    for path in glob.glob(f"{folder}/**/*", recursive=True):
        if os.path.isfile(path):
            file = os.open(path, os.O_RDONLY)
            os.fdatasync(file)
            os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
            os.close(file)


# A setting, and what both sides make of it.


def draw(number, workers, drawn):
    """A decoder takes 0.1 us a byte, so what is decoded comes slowly enough not to wait for it."""
    kind = FORMATS[number % len(FORMATS)]
    slow = kind == "jpeg"
    rate = drawn.uniform(1.5e6, 2.5e6) if slow else drawn.uniform(20e6, 50e6)
    sample = drawn.uniform(20e3, 60e3) if slow else drawn.uniform(60e3, 400e3)
    seconds = drawn.uniform(0.04, 0.12)  # in which a batch can be read
    batch = max(1, round(rate * seconds / sample))
    step = drawn.uniform(0.3, 0.9) * batch * sample / rate
    # Long enough for 40 batches beyond what the workers hold, and for the limit's bursts, a tenth of
    # a second of its rate, to count for less than a point.
    length = max(12, (40 + 2 * workers) * seconds)
    samples = batch * max(30, round(rate * length / (batch * sample)))
    return {"format": kind, "workers": workers, "batch": batch, "rate": rate, "sample": int(sample),
            "samples": samples, "compute": round(step, 4)}


def settings(seed):
    drawn = random.Random(seed)
    workers = list(range(9)) + drawn.sample(range(9), SETTINGS - 9)
    drawn.shuffle(workers)
    return [draw(number, workers[number], drawn) for number in range(SETTINGS)]


def workload_options(setting):
    per_file = setting["batch"] * 10 if setting["format"] == "tfrecord" else 1
    keys = {"format": setting["format"], "files": -(-setting["samples"] // per_file),
            "samples_per_file": per_file, "sample_bytes_mean": setting["sample"],
            "sample_bytes_stdev": 0}
    return [word for key, value in keys.items() for word in ("--set", f"dataset.{key}={value}")]


def feedrate_command(program, setting, folder, result):
    workers = setting["workers"]
    ahead = ["--prefetch", str(2 * workers)] if workers else []
    # The job reads a record in one call, however long it is: its transfer size.
    whole = ["--transfer", "16MiB"] if setting["format"] == "tfrecord" else []
    decode = ["--decode", "decode"] if setting["format"] in ("npz", "jpeg") else []
    return [program, "train", "unet3d", folder, *workload_options(setting), "--client", "faithful",
            "--io", "buffered", "--cache", "keep", "--order", "random", "--readers", str(workers), *ahead, *whole, *decode,
            "--batch", str(setting["batch"]), "--step-time", f"{setting['compute'] * 1e6:.0f}us",
            "--epochs", "1", "--seed", str(setting["seed"]), "--quiet", "--json", result]


def feedrate_utilisation(result, compute):
    """From what `train --json` says of a run of one accelerator."""
    with open(result) as file:
        metrics = json.load(file)["result"]["metrics"]
    first_end = metrics["first_batch_seconds"] + compute
    return utilisation(metrics["steps"], compute, metrics["seconds"], first_end)


def judge(program, setting, place, limit, repetitions):
    folder = tempfile.mkdtemp(prefix="feedrate_judge_", dir=place)
    try:
        data = f"{folder}/data"
        subprocess.run([program, "datagen", "unet3d", data, *workload_options(setting), "--quiet"],
                       check=True, stdout=subprocess.DEVNULL)
        paths = data_files(data)
        places = record_places(paths) if setting["format"] == "tfrecord" else []
        limit.set(setting["rate"])
        job, ours = [], []
        for repetition in range(repetitions):
            seed = setting["seed"] = repetition + 1
            make_cold(data)
            with open(f"{folder}/job.json", "w") as file:
                json.dump({**setting, "folder": data, "places": places, "epochs": 1,
                           "seed": seed}, file)
            done = limit.run([sys.executable, __file__, "--job", f"{folder}/job.json"])
            job.append(json.loads(done)["au"])
            make_cold(data)
            result = f"{folder}/result.json"
            limit.run(feedrate_command(program, setting, data, result))
            ours.append(feedrate_utilisation(result, setting["compute"]))
        return job, ours
    finally:
        shutil.rmtree(folder)


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--feedrate")
    arguments.add_argument("--seed", type=int)
    arguments.add_argument("--repetitions", type=int, default=3)
    arguments.add_argument("--only", help="numbers of settings, with commas between")
    arguments.add_argument("--place", default="/var/tmp", help="a folder on a block device")
    arguments.add_argument("--job", help=argparse.SUPPRESS)
    given = arguments.parse_args()
    if given.job:
        with open(given.job) as file:
            return train(json.load(file))
    if not given.feedrate:
        arguments.error("--feedrate: the program to be judged")
    if os.geteuid() != 0 or not os.path.isdir(Limit.ROOT):
        print("skipped: needs root and the blkio controller of cgroup v1")
        return SKIPPED
    try:
        import PIL  # noqa: F401
        import torch  # noqa: F401
    except ImportError as missing:
        print(f"skipped: {missing}")
        return SKIPPED
    seed = given.seed if given.seed is not None else random.SystemRandom().randrange(10**6)
    print(f"seed {seed}", flush=True)
    only = [int(word) for word in given.only.split(",")] if given.only else range(SETTINGS)
    bound = agree = 0
    with Limit(given.place) as limit:
        for number in only:
            setting = settings(seed)[number]
            job, ours = judge(given.feedrate, setting, given.place, limit, given.repetitions)
            truth, found = statistics.median(job), statistics.median(ours)
            counts = BOUND[0] <= truth <= BOUND[1]
            good = abs(truth - found) <= POINTS
            bound += counts
            agree += counts and good
            verdict = ("agree" if good else "DIFFER") if counts else "not storage-bound"
            print(f"{number:2} {setting['format']:8} {setting['workers']} workers, batch "
                  f"{setting['batch']:3} x {setting['sample'] / 1e3:3.0f} kB at "
                  f"{setting['rate'] / 1e6:4.1f} MB/s, {1e3 * setting['compute']:5.1f} ms: "
                  f"job {truth:5.1f} % ({min(job):.1f} to {max(job):.1f}), feedrate {found:5.1f} % "
                  f"({min(ours):.1f} to {max(ours):.1f}): {verdict}", flush=True)
    print(f"{agree} of {bound} storage-bound settings agree within {POINTS:g} points")
    if given.only:
        return 0 if agree == bound else 1
    return 0 if agree >= MUST_AGREE else 1


if __name__ == "__main__":
    sys.exit(main())
