#!/usr/bin/python3
"""Opens HDF5, Parquet and LMDB files of our writer with foreign readers, compares every value, and
compares what these readers read with where we say that the samples are.

  check_containers.py --render RENDER_CONTAINER DIRECTORY

Prints a line per check ("ok", "FAIL" or "skip" with the reason). Exit status: 1 if any check
failed, 77 if every one was skipped.
"""
import argparse
import ctypes
import mmap
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


LMDB_FILES = [(1, 100), (7000, 300), (400, 5000), (100000, 4), (2, 3000000)]  # records, bytes


def statistics(path):
    """What mdb_stat counts, by name."""
    done = subprocess.run(["mdb_stat", "-n", path], capture_output=True, text=True, check=True)
    return {name.strip(): int(number)
            for name, number in re.findall(r"^  ([A-Z][a-z ]+): (\d+)$", done.stdout, re.MULTILINE)}


def resident(path):
    """Numbers of the 4 KiB pages of a file that are in the page cache."""
    library = ctypes.CDLL(None, use_errno=True)
    library.mmap.restype = ctypes.c_void_p
    library.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int,
                             ctypes.c_int, ctypes.c_long]
    library.mincore.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_char_p]
    library.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
    length = path.stat().st_size
    pages = ctypes.create_string_buffer(-(-length // 4096))
    with open(path, "rb") as file:
        address = library.mmap(None, length, mmap.PROT_READ, mmap.MAP_SHARED, file.fileno(), 0)
        library.mincore(address, length, pages)
        library.munmap(address, length)
    return {number for number, state in enumerate(pages.raw) if state & 1}


def drop_cache(path):
    with open(path, "rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    return resident(path)


def check_lmdb_faults(check, path, index, records, lmdb):
    """Which pages a look-up faults in, against those that we locate."""
    for record in {0, records // 3, records - 1}:
        if drop_cache(path):
            return check.skip(path.name, "its pages do not leave the page cache (tmpfs?)")
        with lmdb.open(str(path), subdir=False, readonly=True, lock=False, readahead=False) as env:
            with env.begin() as txn:
                txn.get(b"%010d" % record)
        # The kernel reads ahead of the meta pages, which are read by a call; of faults it does not.
        ahead = set(range(64))
        found = resident(path) - ahead
        ours = {page for offset, length in index[str(record)]
                for page in range(offset // 4096, (offset + length) // 4096)} - ahead
        check.that(found == ours, f"{path.name}: record {record} faults in the {len(ours)} pages "
                   f"that we locate after the first {len(ahead)}" + ("" if found == ours else f", but {sorted(found ^ ours)}"))


def check_lmdb(check):
    try:
        import lmdb
    except ImportError as missing:
        return check.skip("lmdb", missing)
    for number, (records, size) in enumerate(LMDB_FILES):
        path, index = check.make("lmdb", f"ours{number}.lmdb", records, size)
        content = check.content("lmdb", 0, records * size)
        with lmdb.open(str(path), subdir=False, readonly=True, lock=False) as env:
            with env.begin() as txn:
                same = all(txn.get(b"%010d" % i) == content[i * size:(i + 1) * size]
                           for i in range(records))
                check.that(same, f"{path.name}: every value by its key")
                check.that(b"".join(value for _, value in txn.cursor()) == content,
                           f"{path.name}: all values in order of their keys")
        check_lmdb_faults(check, path, index, records, lmdb)
        if shutil.which("mdb_stat") is None:
            check.skip(path.name, "no mdb_stat here (lmdb-utils)")
            continue
        counts = statistics(path)
        located = {extent for key, reads in index.items() if key != "open" for extent in reads}
        pages = sum(end - begin for begin, end in covered(located)) // 4096
        tree = sum(counts[f"{kind} pages"] for kind in ("Branch", "Leaf", "Overflow"))
        check.that(counts["Entries"] == records and tree == pages,
                   f"{path.name}: mdb_stat counts {records} entries in the {pages} pages")
        dumped = subprocess.run(["mdb_dump", "-n", path], capture_output=True, check=False)
        check.that(dumped.returncode == 0 and dumped.stdout.count(b"\n ") == 2 * records,
                   f"{path.name}: mdb_dump prints every record")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("directory", type=pathlib.Path)
    parser.add_argument("--render", required=True)
    options = parser.parse_args()
    options.directory.mkdir(parents=True, exist_ok=True)
    check = Check(options.render, options.directory.resolve())
    check_hdf5(check)
    check_parquet(check)
    check_lmdb(check)
    print(f"{check.done} checks, {check.failed} failed")
    if check.done == 0:
        return 77
    return 1 if check.failed else 0


if __name__ == "__main__":
    sys.exit(main())
