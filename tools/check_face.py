#!/usr/bin/python3
"""Holds the face of the library to what is recorded of it: whoever builds on it must learn of a
change. The face is the headers below; comments and blanks do not count.

usage: check_face.py [--record]

A header that changed fails until the change stands in CHANGELOG.md, under "Library", and --record
has written tools/face.txt anew.
"""
import hashlib
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
RECORD = ROOT / "tools" / "face.txt"
FACE = ["experiment/*.h", "find/find.h", "find/limits.h", "find/searches.h", "plan/plan.h", "plan/training.h",
        "result/report.h", "result/views.h", "storage/storage.h", "workload/workload.h", "dataset/dataset.h",
        "engine/training_plan.h", "base/error.h"]


def headers():
    for pattern in FACE:
        for path in sorted((ROOT / "feedrate").glob(pattern)):
            if not path.name.endswith("_testing.h"):
                yield path


def digest(path):
    code = re.sub(r"//[^\n]*", "", path.read_text(encoding="utf-8"))
    return hashlib.sha256(" ".join(code.split()).encode()).hexdigest()[:16]


def main():
    now = {str(path.relative_to(ROOT)): digest(path) for path in headers()}
    if sys.argv[1:] == ["--record"]:
        RECORD.write_text("".join(f"{name} {value}\n" for name, value in now.items()), encoding="utf-8")
        return 0
    if sys.argv[1:]:
        print(__doc__)
        return 2
    then = dict(line.split() for line in RECORD.read_text(encoding="utf-8").splitlines())
    changed = sorted(name for name in now.keys() | then.keys() if now.get(name) != then.get(name))
    for name in changed:
        print(f"{name}: the library's face changed: say in CHANGELOG.md, under Library, what its users must "
              "change, then run tools/check_face.py --record")
    if not changed:
        print(f"{len(now)} headers of the library's face are as recorded")
    return 1 if changed else 0


if __name__ == "__main__":
    sys.exit(main())
