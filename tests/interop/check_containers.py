#!/usr/bin/python3
"""Opens HDF5, Parquet and LMDB files of our writer with foreign readers, compares every value, and
compares what these readers read with where we say that the samples are.

  check_containers.py --render RENDER_CONTAINER DIRECTORY

Prints a line per check ("ok", "FAIL" or "skip" with the reason). Exit status: 1 if any check
failed, 77 if every one was skipped.
"""
import argparse
import os
import pathlib
import re
import shutil
import subprocess
import sys


class Check:
    def __init__(self, render, directory):
        self.render, self.directory = render, directory
        self.done = self.failed = 0

    def that(self, condition, what):
        print("ok  " if condition else "FAIL", what)
        self.done += 1
        self.failed += not condition

    def skip(self, what, reason):
        print("skip", f"{what}: {reason}")

    def make(self, form, name, samples, size, *options):
        """A file of ours, and its index: reads by sample number, and by "open"."""
        path = self.directory / name
        return path, self.parse(self.render, form, path, "42", str(samples), str(size), *options)

    def parse(self, *command):
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        index = {}
        for line in done.stdout.splitlines():
            key, offset, length = line.split()
            index.setdefault(key, []).append((int(offset), int(length)))
        return index

    def content(self, form, sample, size):
        done = subprocess.run([self.render, form, "--content", "42", str(sample), str(size)],
                              check=True, capture_output=True)
        return done.stdout


def strace_reads(path, script):
    """(offset, length) of what Python reads of `path` while it runs `script`; None without strace
    or the right to use it."""
    tool = shutil.which("strace")
    if tool is None:
        return None
    done = subprocess.run([tool, "-f", "-y", "-e", "trace=read,pread64,lseek", sys.executable, "-c",
                           script, str(path)], capture_output=True, text=True, check=False)
    reads, position = [], 0
    for line in done.stderr.splitlines():
        if f"<{path}>" not in line:
            continue
        number = re.search(r"= (\d+)$", line)
        if number is None:
            continue
        result = int(number.group(1))
        if "lseek(" in line:
            position = result
        elif "pread64(" in line:
            reads.append((int(re.search(r", (\d+)\) += ", line).group(1)), result))
        elif "read(" in line:
            reads.append((position, result))
            position += result
    return reads if done.returncode == 0 else None


def covered(extents):
    """The bytes of extents as sorted, merged (begin, end)."""
    merged = []
    for offset, length in sorted(extents):
        if length == 0:
            continue
        if merged and offset <= merged[-1][1]:
            merged[-1][1] = max(merged[-1][1], offset + length)
        else:
            merged.append([offset, offset + length])
    return merged


def outside(extents, of):
    """How many bytes of extents are not in `of`."""
    size = lambda spans: sum(end - begin for begin, end in covered(spans))
    return size(list(extents) + list(of)) - size(of)


HDF5_FILES = [  # samples, payload, options
    (1, 5000, []),
    (3, 800, []),
    (1, 50000, ["chunk_bytes=1200"]),
    (2, 5000, ["chunk_bytes=1KiB", "gzip=on", "shuffle=on"]),
    (2, 200000, ["chunk_bytes=1MiB", "gzip=on"]),
]
HDF5_SCRIPT = "import h5py, sys; h5py.File(sys.argv[1])['climate'][{}]"


def stored(row, options, numpy):
    """The content as it was stored: shuffle has taken place within each chunk of 1,000 B."""
    data = row.astype("<f4").tobytes()
    if "shuffle=on" not in options:
        return data
    chunks = numpy.frombuffer(data, "u1").reshape(-1, 250, 4)
    return chunks.transpose(0, 2, 1).tobytes()


def check_hdf5(check):
    try:
        import h5py
        import numpy
    except ImportError as missing:
        return check.skip("hdf5", missing)
    for number, (samples, size, options) in enumerate(HDF5_FILES):
        path, index = check.make("hdf5", f"ours{number}.h5", samples, size, *options)
        with h5py.File(path) as file:
            rows = file["climate"]
            check.that(rows.dtype == numpy.float32 and rows.shape == (samples, size // 4),
                       f"{path.name}: climate is float32, {samples} x {size // 4}")
            check.that(file["labels"][...].tolist() == list(range(samples)),
                       f"{path.name}: labels count up")
            for i in range(samples):
                same = stored(rows[i], options, numpy) == check.content("hdf5", i, size)
                check.that(same, f"{path.name}: content of row {i}")
        dump = shutil.which("h5dump")
        if dump is None:
            check.skip(path.name, "no h5dump here (hdf5-tools)")
        else:
            shown = subprocess.run([dump, "-p", "-H", path], capture_output=True, text=True,
                                   check=False)
            check.that(shown.returncode == 0 and 'DATASET "climate"' in shown.stdout,
                       f"{path.name}: h5dump reads it")
        reads = strace_reads(path, HDF5_SCRIPT.format("..."))
        if not reads:
            check.skip(path.name, "strace is not possible here")
            continue
        ours = [extent for reads_of in index.values() for extent in reads_of]
        check.that(outside(ours, reads) == 0, f"{path.name}: h5py reads all that we locate")
        extra = outside(reads, ours)
        check.that(extra == 0, f"{path.name}: h5py reads {extra} B that we do not locate")


PARQUET_FILES = [  # rows, bytes of a row, options
    (10, 100, []),
    (1000, 47, ["columns=10", "columns_read=3", "row_group_rows=300"]),
    (3, 3000000, ["columns=2"]),
]


def check_parquet(check):
    modules, node = os.environ.get("FEEDRATE_NODE_MODULES"), shutil.which("node")
    if modules is None or node is None:
        return check.skip("parquet", "no reader in Debian 12: run 'npm install hyparquet' and set "
                          "FEEDRATE_NODE_MODULES to its node_modules")
    reader = pathlib.Path(__file__).resolve().parent / "read_parquet.mjs"
    for number, (rows, size, options) in enumerate(PARQUET_FILES):
        path, _ = check.make("parquet", f"ours{number}.parquet", rows, size, *options)
        done = subprocess.run([node, reader, modules, path], capture_output=True, check=False)
        same = done.stdout == check.content("parquet", 0, rows * size)
        check.that(same, f"{path.name}: hyparquet reads every value" +
                   ("" if same else ": " + done.stderr.decode()))
        opinion = re.search(rb"duckdb (\d+) (\d+)", done.stderr)
        if opinion is None:
            check.skip(path.name, "no @duckdb/node-api there")
        else:
            columns = next((int(o[8:]) for o in options if o.startswith("columns=")), 1)
            check.that((int(opinion[1]), int(opinion[2])) == (rows, rows * columns),
                       f"{path.name}: duckdb counts {rows} rows of {columns} values")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("directory", type=pathlib.Path)
    parser.add_argument("--render", required=True)
    options = parser.parse_args()
    options.directory.mkdir(parents=True, exist_ok=True)
    check = Check(options.render, options.directory.resolve())
    check_hdf5(check)
    check_parquet(check)
    print(f"{check.done} checks, {check.failed} failed")
    if check.done == 0:
        return 77
    return 1 if check.failed else 0


if __name__ == "__main__":
    sys.exit(main())
