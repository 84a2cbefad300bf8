#!/usr/bin/python3
"""Compares what foreign readers read of our files with what our index says that they read.

  trace_readers.py --sample-file SAMPLE_FILE DIRECTORY

Runs each reader under strace and takes the union of the ranges that its read calls on the file
returned. All that the index locates must be among them; what was read beyond must be no farther from a
located piece than `around`, the buffer of the reader. Prints a line per reader; exit status: 1 if any differs, 77 if every one
was skipped.
"""
import argparse
import pathlib
import re
import subprocess
import sys
from dataclasses import dataclass

sys.dont_write_bytecode = True
from sample_files import Check, SampleFile  # noqa: E402

PYTHON_BUFFER = 8192  # of zipfile's and tarfile's reads: two of io.BufferedReader's 4096


@dataclass
class Reader:
    spec: str
    sizes: list
    command: list  # with {} for the file
    around: int = 0
    foreign: str = ""  # Python that writes the file, in place of our writer


def python(line):
    return ["/usr/bin/python3", "-c", f"import sys; path = sys.argv[1]; {line}", "{}"]


PIL = python("from PIL import Image; Image.open(path).convert('RGB')")
SOUNDFILE = python("import soundfile; soundfile.read(path)")
PYDICOM = python("import pydicom; pydicom.dcmread(path).pixel_array")
# Only one of three members is a sample.
THREE_ARRAYS = """import numpy
random = numpy.random.default_rng(1)
arrays = {name: random.integers(0, 200, 300000, "u1") for name in ("before", "x", "z")}"""
READERS = [
    Reader("npz", [], python("import numpy; numpy.load(path)['x']"), PYTHON_BUFFER,
           f"{THREE_ARRAYS}; numpy.savez(path, **arrays)"),
    Reader("npz", [], python("import numpy; numpy.load(path)['x']"), PYTHON_BUFFER,
           f"{THREE_ARRAYS}; numpy.savez_compressed(path, **arrays)"),
    Reader("npz", [300001], python("import numpy; numpy.load(path)['x']"), PYTHON_BUFFER),
    Reader("npz", [1000], python("import numpy; numpy.load(path)['x']"), PYTHON_BUFFER),
    Reader("npy", [300001], python("import numpy; numpy.load(path)")),
    Reader("webdataset", [100000, 5, 3000],
           python("import tarfile; [m.name for m in tarfile.open(path, 'r|')]"), 10240),
    Reader("webdataset", [100000, 5, 3000], ["tar", "--extract", "--to-stdout", "--file", "{}"],
           10240),
    Reader("raw,record_bytes=160", [160] * 1000, python("import numpy; numpy.fromfile(path)")),
    Reader("jpeg", [300001], ["djpeg", "-outfile", "/dev/null", "{}"]),
    Reader("jpeg", [300001], PIL),
    Reader("png", [300001], PIL),
    Reader("png", [300001], ["pngtopnm", "{}"]),
    Reader("wav", [300001], SOUNDFILE),
    Reader("flac", [300001], SOUNDFILE),
    Reader("flac", [300001], ["flac", "--test", "--silent", "{}"]),
    Reader("dicom", [300001], PYDICOM),
    Reader("dicom,transfer_syntax=implicit", [300001], PYDICOM),
    Reader("dicom", [300001], ["dcmdump", "--load-all", "{}"]),
]
UNTRACED = {
    "tfrecord": "TensorFlow is not in Debian 12",
    "safetensors": "safe_open maps the file: page faults are not system calls",
    "megatron": "numpy.memmap maps the file: page faults are not system calls",
}


def why_not_traced():
    """Why strace cannot work here, or an empty string."""
    try:
        done = subprocess.run(["strace", "-f", "-e", "trace=openat", "true"], capture_output=True,
                              text=True, check=False)
    except FileNotFoundError as missing:
        return str(missing)
    return "" if done.returncode == 0 else done.stderr.strip().splitlines()[-1]


CALL = re.compile(r"(?:\d+ +)?(\w+)\((.*)\) += (-?\d+)")


def ranges_read(log, path):
    """[(begin, end)] of the read calls in a log of strace -y; one open file of that path at a time.

    A descriptor and what dup made of it share their position, so the path says enough.
    """
    position, ranges, mapped = 0, [], False
    for line in log.splitlines():
        match = CALL.match(line)
        if not match or str(path) not in line:
            continue
        call, arguments, result = match.group(1), match.group(2), int(match.group(3))
        if call == "openat":
            position = 0
        elif call == "lseek":
            position = result
        elif call == "mmap":
            mapped = True
        elif call in ("read", "pread64") and result > 0:
            begin = int(arguments.rsplit(", ", 1)[1]) if call == "pread64" else position
            ranges.append((begin, begin + result))
            if call == "read":
                position += result
    return union(ranges), mapped


def union(ranges):
    merged = []
    for begin, end in sorted(ranges):
        if merged and begin <= merged[-1][1]:
            merged[-1][1] = max(end, merged[-1][1])
        else:
            merged.append([begin, end])
    return merged


def outside(ranges, others):
    """What of `ranges` lies in none of `others`; both as union() gives them."""
    left = []
    for begin, end in ranges:
        for other_begin, other_end in others:
            if other_end <= begin or other_begin >= end:
                continue
            if other_begin > begin:
                left.append((begin, other_begin))
            begin = min(end, other_end)
        if begin < end:
            left.append((begin, end))
    return left


def compare(check, reader, file):
    tool = reader.command[0] if "-c" not in reader.command else reader.command[2].split("; ", 2)[2]
    what = f"{file.path.name}: {tool}"
    log = file.path.with_suffix(".strace")
    command = [word.replace("{}", str(file.path)) for word in reader.command]
    traced = subprocess.run(
        ["strace", "-f", "-y", "-qq", "-o", log, "-e", "trace=openat,read,pread64,lseek,mmap",
         *command], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False)
    if "No such file or directory" in traced.stderr and reader.command[0] in traced.stderr:
        return check.skip(what, f"{reader.command[0]} is not installed")
    if "ModuleNotFoundError" in traced.stderr:
        return check.skip(what, traced.stderr.strip().splitlines()[-1])
    read, mapped = ranges_read(log.read_text(errors="replace"), file.path)
    if mapped:
        return check.skip(what, "the reader maps the file")
    located = union([(at, at + length) for at, length in file.located()])
    missed = outside(located, read)
    near = union([(begin - reader.around, end + reader.around) for begin, end in located])
    beyond = outside(read, near)
    check.that(traced.returncode == 0 and not missed and not beyond,
               f"{what}: reads what the index locates")
    if traced.returncode != 0:
        print(traced.stderr)
    for name, ranges in (("located, not read", missed), ("read, not located", beyond)):
        if ranges:
            print(f"     {name}: {ranges}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("directory", type=pathlib.Path)
    parser.add_argument("--sample-file", required=True)
    options = parser.parse_args()
    check = Check()
    trouble = why_not_traced()
    if trouble:
        check.skip("all readers", f"strace cannot trace here: {trouble}")
        return check.status()
    for spec, reason in UNTRACED.items():
        check.skip(spec, reason)
    for reader in READERS:
        file = SampleFile(options.sample_file, options.directory.resolve(), reader.spec, 7,
                          reader.sizes, reader.foreign)
        compare(check, reader, file)
    return check.status()


if __name__ == "__main__":
    sys.exit(main())
