#!/usr/bin/python3
"""Holds the tests to every message a user may see: the longest fixed part of each text of an error,
a hint or a warning must stand in a test. One line per message that is in none; exit status 1 when
there is any.

usage: check_messages.py [ROOT]
"""
import os
import re
import sys

from check_tree import TOKENS, blank, closing

# What takes the text of a message, besides functions of ours that return an error.
SITES = (r"\bfail", r"(?:\.|->)error", r"\bcorrupt_at", r"\bError", r"\bError::storage",
         r"\bwith_hint", r"\bwith_context", r"\bwarnings_?(?:\.|->)(?:push|emplace)_back",
         r"\bwarn", r"\bcheck_within")
RETURNS_ERROR = re.compile(r"std::unexpected<Error>\s+(?:\w+::)*(\w+)\s*\(")
BRACED = re.compile(r"\bConflict\s*\{")
PART_BYTES_MIN = 8  # shorter ones ("at ", ", ") are in some test by chance

# Messages that no test brings about, each with the reason: what the test would have to do.
DAMAGED_TWICE = "several bytes of a file that go together are damaged; the fuzzers reach them"
UNTESTED = {
    "out of memory": "libyaml has no memory",
    "zlib has no memory for an inflater": "zlib has no memory",
    "libjpeg-turbo cannot be started": "the library has no memory",
    "DCMTK: the pixels are no array": "DCMTK contradicts itself",
    "was whole before the failure, a restart finds step": "storage loses what it had synced",
    "interrupted after": "a signal within the milliseconds that drop-caches takes",
    "the file ends here": "a file that shrinks while it is indexed",
    "the run has ended": "told to our own code, which ends then; never shown",
    "write back": "the device fails at fdatasync",
    "fsync directory": "the device fails at fsync",
    "drop the page cache of": "posix_fadvise fails",
    "within metadata": "a file that gets shorter after it was indexed",
    "length of the record is not the one that was indexed": "a file that is replaced while it is read",
    "the array's local header is cut": "a file that is replaced while it is read",
    "the array's local header goes beyond the sample": "a file that is replaced while it is read",
    "ends within the header of the array": DAMAGED_TWICE,
    "zip64 locator without its record": DAMAGED_TWICE,
    "no zip64 end record where its locator says": DAMAGED_TWICE,
    "malformed zip64 field in a central directory entry": DAMAGED_TWICE,
    "zip archive with a central directory of": DAMAGED_TWICE,
    "B: at most 64 MiB are read": DAMAGED_TWICE,
    "an extensible array is cut off": DAMAGED_TWICE,
    "B do not fit the file": DAMAGED_TWICE,
    "a name does not end in its heap": DAMAGED_TWICE,
    "a group's leaf has two nodes above it": DAMAGED_TWICE,
    "dataset with more rows than the file has bytes": DAMAGED_TWICE,
    "no values were ever written to dataset '": DAMAGED_TWICE,
    "some samples of the HDF5 file are chunked, others contiguous": DAMAGED_TWICE,
    "object header is continued in a circle": DAMAGED_TWICE,
    "no OCHK where one must be": DAMAGED_TWICE,
    "each read takes several timestamps: a slow clock costs CPU time and blurs latencies":
        "the host's clock is slow",
    "choose a faster one of available_clocksource (echo tsc >": "the host's clock is slow",
    "/current_clocksource), if the processor's is stable": "the host's clock is slow",
    "were registered, but a run may want":
        "a limit between 16 MiB and what a run wants, which not every host lets a test set",
    "io_uring is not available: not enough lockable memory (RLIMIT_MEMLOCK is":
        "kernels before 5.12",
    "raise it with 'ulimit -l unlimited'": "kernels before 5.12",
}


def literals(text, begin, end):
    """(offset, value) of each string in text[begin:end]; adjacent ones are one."""
    found = []
    last_end = None
    for match in TOKENS.finditer(text, begin, end):
        token = match.group(0)
        if not token.startswith('"'):
            continue
        value = unescaped(token[1:-1])
        if last_end is not None and not text[last_end:match.start()].strip():
            found[-1] = (found[-1][0], found[-1][1] + value)
        else:
            found.append((match.start(), value))
        last_end = match.end()
    return found


def unescaped(text):
    simple = {"n": "\n", "t": "\t"}
    return re.sub(r"\\(.)", lambda match: simple.get(match.group(1), match.group(1)), text)


def fixed_part(message):
    """The longest part of a format string that is the same in each message, or None."""
    parts = re.split(r"\{[^{}]*\}|\n", message.replace("{{", "\0").replace("}}", "\1"))
    longest = max((part.replace("\0", "{").replace("\1", "}").strip(" :;,.")
                   for part in parts), key=len)
    return longest if len(longest) >= PART_BYTES_MIN else None


def messages(text, site):
    """(offset, literal) of each message of a source file."""
    code = blank(text)
    spans = [(match.end(), closing(code, match.end())) for match in site.finditer(code)]
    for match in BRACED.finditer(code):
        spans.append((match.end(), code.index(";", match.end())))
    seen = set()
    for begin, end in spans:
        for offset, value in literals(text, begin, end):
            if offset not in seen:
                seen.add(offset)
                yield offset, value


def is_test(path):
    return path.endswith(("_test.cc", "_testing.h", ".case")) or (
        path.startswith("tests/") and path.endswith((".py", ".sh", ".cc")))


def read_tree(root):
    files = {}
    for top in ("feedrate", "tests"):
        for folder, _, names in os.walk(os.path.join(root, top)):
            for name in names:
                if name.endswith((".cc", ".h", ".case", ".py", ".sh")):
                    path = os.path.join(folder, name)
                    with open(path, encoding="utf-8") as file:
                        files[os.path.relpath(path, root)] = file.read()
    return files


def corpus_of(files):
    """What the tests say: C++ strings put together, other files as they are."""
    texts = []
    for path, text in files.items():
        if not is_test(path):
            continue
        if path.endswith((".cc", ".h")):
            texts += [value for _, value in literals(text, 0, len(text))]
        else:
            texts.append(text)
    return "\n".join(texts)


def main():
    default = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    files = read_tree(os.path.abspath(sys.argv[1]) if len(sys.argv) > 1 else default)
    corpus = corpus_of(files)
    helpers = {name for path, text in files.items() if not is_test(path)
               for name in RETURNS_ERROR.findall(text)}
    site = re.compile("(?:" + "|".join([*SITES, *(rf"\b{name}" for name in helpers)]) + r")\s*\(")
    total, missing = 0, []
    unused = set(UNTESTED)
    for path, text in sorted(files.items()):
        if is_test(path) or not path.endswith((".cc", ".h")) or not path.startswith("feedrate/"):
            continue
        for offset, value in messages(text, site):
            part = fixed_part(value)
            if part is None:
                continue
            total += 1
            unused.discard(part)
            if part not in corpus and part not in UNTESTED:
                missing.append(f"{path}:{text.count(chr(10), 0, offset) + 1}: in no test: {part}")
    missing += [f"tools/check_messages.py: no such message any more: {part}" for part in unused]
    print("\n".join(missing) or
          f"{total} parts of messages are in tests, but for {len(UNTESTED)} that stand in UNTESTED")
    sys.exit(1 if missing else 0)


if __name__ == "__main__":
    main()
