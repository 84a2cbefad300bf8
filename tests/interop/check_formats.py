#!/usr/bin/python3
"""Opens files of our writer with foreign readers.

  check_formats.py --sample-file SAMPLE_FILE [--large] DIRECTORY

Prints a line per check ("ok", "FAIL" or "skip" with the reason: a reader that is not installed).
Exit status: 1 if any check failed, 77 if every one was skipped. --large adds npz files on both
sides of zip64's limits (15 GB of disk and memory).
"""
import argparse
import os
import pathlib
import sys

sys.dont_write_bytecode = True
import array_formats  # noqa: E402
import media_formats  # noqa: E402
from sample_files import Check, SampleFile  # noqa: E402

FILES = [
    ("tfrecord", 7, [1000]),
    ("tfrecord", 0, [0, 1, 100, 113900, 300000]),
    ("tfrecord", 4294967290, [50, 60]),
    ("npz", 7, [1]),
    ("npz", 255, [5000]),
    ("npz", 4294967295, [1000003]),
    ("npy", 0, [1]),
    ("npy", 0, [1000003]),
    ("webdataset", 7, [1000]),
    ("webdataset", 4294967290, [1, 511, 512, 513, 300000]),
    ("safetensors", 0, [1, 4096, 300000]),
    ("megatron", 0, [4096] * 100),
    ("raw,record_bytes=160", 0, [160] * 1000),
    ("wav", 0, [1]),
    ("wav", 0, [320001]),
    ("flac", 0, [1]),
    ("flac", 0, [320001]),
    ("flac", 0, [3000000]),
    ("jpeg", 0, [1]),
    ("jpeg", 0, [113900]),
    ("jpeg", 0, [3000000]),
    ("png", 0, [5]),
    ("png", 0, [113900]),
    ("png", 0, [3000000]),
    ("dicom", 7, [1]),
    ("dicom", 4294967295, [524288]),
    ("dicom,transfer_syntax=implicit", 7, [524289]),
]
LARGE_FILES = [("npz", 3, [2**31 - 129]), ("npz", 3, [2**31 - 128]), ("npz", 3, [2**32 + 5])]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("directory", type=pathlib.Path)
    parser.add_argument("--sample-file", required=True)
    parser.add_argument("--large", action="store_true")
    options = parser.parse_args()
    check = Check()
    for spec, label, sizes in FILES + (LARGE_FILES if options.large else []):
        file = SampleFile(options.sample_file, options.directory, spec, label, sizes)
        name = f"check_{file.format}"
        reader = getattr(media_formats, name, None) or getattr(array_formats, name)
        try:
            reader(check, file)
        except ImportError as missing:
            check.skip(file.path.name, missing)
        if sizes[0] >= 1 << 30:
            os.remove(file.path)
    return check.status()


if __name__ == "__main__":
    sys.exit(main())
