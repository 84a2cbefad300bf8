#!/usr/bin/python3
"""Holds the tree to its rules: includes go down only, leaf folders are private, engine code asks
for nothing it was not handed, lengths, format. One line per violation; exit status 1 when any.

usage: check_tree.py [ROOT]
"""
import bisect
import json
import os
import re
import shutil
import subprocess
import sys

# Lowest first. A folder may include itself and the rows above it; folders of one row are strangers.
LAYERS = [
    ["base"],
    ["runtime", "stats"],
    ["workload", "format", "storage", "cluster", "result", "host"],
    ["dataset", "checkpoint"],
    ["engine"],
    ["evidence"],
    ["experiment"],
    ["find", "plan", "simulate", "probe", "trace", "doctor", "report"],
    ["options"],
    ["request"],
    ["cli"],
]
RANK = {folder: rank for rank, folders in enumerate(LAYERS) for folder in folders}

# Code that runs on two clocks, or on none: what it may not call, and what does the same.
PURE = ("base", "stats", "workload", "format", "dataset", "checkpoint", "engine", "find", "plan", "storage/model")
BLOCKING = ("feedrate/dataset/scan.cc",)  # by contract: it runs before there is a reactor
CALL = r"(?<![\w.>:])(?:std::|::)?"  # a free function, not a member of ours with that name
CLOCK = "use reactor.now()"
SLEEP = "use co_await reactor.sleep_until()"
RANDOM = "use a RandomStream with a SeedPurpose"
# In every library: it neither prints nor ends the program.
QUIET = [
    (r"\bstd::c(?:out|err)\b|(?<![\w:])f?printf\s*\(", "return a value; only cli/ prints"),
    (CALL + r"_?exit\s*\(", "return an Error; only main() ends the program"),
]
OWN = "files are made, moved and removed through a Storage or write_whole_file(), which follow no link"
ONE_WAY = [
    (r"\.dump\s*\(", "use json_text(), which bears any bytes", ("feedrate/base/json_text.h",)),
    (r"\bO_CREAT\b|\bofstream\b|\bfopen\s*\(|\b(?:unlink|unlinkat|renameat|mkdirat|mkdir|rmdir)\s*\("
     r"|\bstd::(?:rename|remove)\s*\([^,()]*(?:c_str|\.data)\(\)|\bfilesystem::(?:remove|rename|create)\w*\s*\(",
     OWN, ("feedrate/base/whole_file.cc", "feedrate/storage/posix/own_directories.cc",
           "feedrate/storage/directories.cc",  # removes what this process made, under its claim
           "feedrate/cli/output.cc",           # tries whether the file can be made, exclusively
           "feedrate/cli/describe.cc")),       # a tool of the build
]
BANNED = [
    (r"\b\w*_clock::now\b", CLOCK),
    (r"\b(?:clock_gettime|gettimeofday|timespec_get)\b", CLOCK),
    (CALL + r"time\s*\(\s*(?:0|NULL|nullptr|&\w+)\s*\)", CLOCK),
    (CALL + r"(?:sleep|usleep|nanosleep)\s*\(|\bthis_thread::", SLEEP),
    (r"\bstd::(?:jthread|thread|async)\b|\bpthread_create\b",
     "use ReactorGroup or reactor.offload()"),
    (CALL + r"s?rand\s*\(|\bstd::random_device\b|\bstd::mt19937", RANDOM),
] + QUIET
# Storage is asked for its facts; only its own table knows backends by their names.
BACKEND = re.compile(r'[=!]=\s*"(?:null|posix|model)"|"(?:null|posix|model)"\s*[=!]=')
KNOW_BACKENDS = ("feedrate/base/", "feedrate/workload/", "feedrate/storage/")  # the first two: YAML's null
# GCC 12 copies temporaries of such expressions bit by bit.
CONDITION = re.compile(r"\b(?:if|while|switch)\s*(?:constexpr\s*)?\(")
TYPE = re.compile(r"^(?:class|struct|union|enum(?: class)?)\s+(\w+)\b(?!\s*<)[^;{]*\{", re.MULTILINE)
UNFINISHED = re.compile(r"\b(?:" + "|".join(["TO" + "DO", "FIX" + "ME", "XX" + "X"]) + r")\b")

COLUMNS_MAX, FILE_LINES_MAX, FUNCTION_LINES_MAX = 100, 700, 70
# Lines without blanks and comments: of a file of the library, of a verb, of all that cli/ has.
CODE_LINES_MAX, VERB_LINES_MAX, CLI_LINES_MAX = 450, 150, 2500
LONGER = {"feedrate/checkpoint/writer.cc": 610}  # until checkpoint/ is laid out anew
FOLDERS = ("feedrate", "tests", "bench", "examples", "fuzz", "tools", "cmake")
CODE = (".cc", ".h")
SCRIPTS = (".py", ".sh", ".cmake", "CMakeLists.txt")
SCOPE = re.compile(r"(?:\w+:\s*)?(?:inline\s+)?(?:namespace|extern)\b[^()]*$|"
                   r"(?:\w+:\s*)?(?:template\s*<.*>\s*)?(?:class|struct|union|enum)\b[^()=]*$",
                   re.DOTALL)
TOKENS = re.compile(
    r'R"(?P<tag>[^()\s]*)\(.*?\)(?P=tag)"|"(?:\\.|[^"\\\n])*"'
    r"|(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])*'|//[^\n]*|/\*.*?\*/", re.DOTALL)


class Tree:
    def __init__(self, root):
        self.root = root
        self.violations = []
        self.files = {}
        self.included = set()

    def report(self, path, line, what):
        self.violations.append(f"{path}:{line}: {what}")

    def read(self):
        for top in FOLDERS:
            for folder, below, names in os.walk(os.path.join(self.root, top)):
                below[:] = [name for name in below if not name.startswith((".", "__"))]
                for name in names:
                    if name.endswith(CODE + SCRIPTS):
                        path = os.path.relpath(os.path.join(folder, name), self.root)
                        with open(os.path.join(folder, name), encoding="utf-8") as file:
                            self.files[path] = file.read()

    def check(self):
        for path, text in sorted(self.files.items()):
            self.check_lengths(path, text)
            if path.endswith(CODE):
                self.check_includes(path, text)
                self.check_code(path, blank(text))
                self.check_backends(path, text)
        self.check_type_names()
        self.check_code_lines()
        for path in sorted(self.files):
            if path.startswith("feedrate/") and path.endswith(".h") and path not in self.included:
                self.report(path, 1, "nobody includes it")

    def check_code_lines(self):
        """A verb says its options and shows its report; what is longer belongs below cli/."""
        cli = 0
        for path, text in sorted(self.files.items()):
            if not path.startswith("feedrate/") or not path.endswith(CODE) or path.endswith(
                    ("_test.cc", "_testing.h", "_test_support.h")):
                continue
            lines = sum(1 for line in text.splitlines()
                        if line.strip() and not line.strip().startswith("//"))
            most = LONGER.get(path, VERB_LINES_MAX if path.endswith("_command.cc") else CODE_LINES_MAX)
            if lines > most:
                self.report(path, 1, f"has {lines} lines of code, at most {most}")
            cli += lines if path.startswith("feedrate/cli/") else 0
        if cli > CLI_LINES_MAX:
            self.report("feedrate/cli", 1, f"has {cli} lines of code, at most {CLI_LINES_MAX}")

    def check_type_names(self):
        """Two types of one name in one namespace link, and then crash."""
        seen = {}
        for path, text in sorted(self.files.items()):
            if not path.startswith("feedrate/") or not path.endswith(".h"):
                continue
            space = "::".join(re.findall(r"^namespace ([\w:]+) \{", text, re.MULTILINE)) + "::"
            for match in TYPE.finditer(blank(text)):
                name, line = space + match.group(1), text.count("\n", 0, match.start()) + 1
                if seen.setdefault(name, path) != path:
                    self.report(path, line, f"{name} is the name of a type in {seen[name]}, too")

    def check_backends(self, path, text):
        if not path.startswith("feedrate/") or path.startswith(KNOW_BACKENDS) or path.endswith("_test.cc"):
            return
        for number, line in enumerate(text.splitlines(), 1):
            if BACKEND.search(line):
                self.report(path, number, "a backend is known by its name: ask StorageSpec::facts")

    def check_lengths(self, path, text):
        lines = text.splitlines()
        if len(lines) > FILE_LINES_MAX:
            self.report(path, len(lines), f"the file is longer than {FILE_LINES_MAX} lines")
        for number, line in enumerate(lines, 1):
            if path.endswith(CODE) and len(line) > COLUMNS_MAX:
                self.report(path, number, f"is longer than {COLUMNS_MAX} columns")
            if UNFINISHED.search(line):
                self.report(path, number, "unfinished work belongs into an issue")

    def check_includes(self, path, text):
        found = [(text.count("\n", 0, match.start()) + 1, match.group(1))
                 for match in re.finditer(r'^#include ([<"].*[">])', text, re.MULTILINE)]
        own = path[:-3] + ".h"
        if path.endswith(".cc") and own in self.files and (
                not found or found[0][1] != f'"{own}"'):
            self.report(path, found[0][0] if found else 1,
                        f'"{own}" comes first: that proves that it stands alone')
        if path.endswith(".h") and "#pragma once" not in text:
            self.report(path, 1, "has no '#pragma once'")
        for number, name in found:
            if name.startswith('"'):
                self.check_include(path, number, name.strip('"'))

    def check_include(self, path, number, included):
        self.included.add(included)
        if not included.startswith("feedrate/"):
            self.report(path, number, f"{included}: name it from the root, feedrate/...")
            return
        if included not in self.files:
            self.report(path, number, f"{included}: there is no such file")
        if not path.startswith("feedrate/"):
            return
        mine, other = path.split("/")[1], included.split("/")[1]
        for folder in {mine, other} - set(RANK):
            self.report(path, number, f"{folder}/ is in no layer of tools/check_tree.py")
        if mine in RANK and other in RANK and mine != other and RANK[other] >= RANK[mine]:
            self.report(path, number, f"includes {other}/, which is not below {mine}/")
        leaf = os.path.dirname(included)  # feedrate/storage/posix
        if leaf.count("/") >= 2 and not path.endswith(("_test.cc", "_testing.h")):
            inside = os.path.dirname(path) + "/"
            if not inside.startswith(leaf + "/") and inside != os.path.dirname(leaf) + "/":
                parent = os.path.dirname(leaf)
                self.report(path, number, f"{included}: a leaf that only {parent}/ may name")

    def check_code(self, path, code):
        starts = [0] + [match.end() for match in re.finditer("\n", code)]

        def line_of(position):
            return bisect.bisect_right(starts, position)

        for match in CONDITION.finditer(code):
            condition = code[match.end():closing(code, match.end())]
            if re.search(r"\bco_await\b", condition):
                self.report(path, line_of(match.start()),
                            "co_await in a condition, which GCC 12 miscompiles: name what it gave")
        for begin, end in functions(code):
            length = line_of(end) - line_of(begin) + 1
            if length > FUNCTION_LINES_MAX:
                self.report(path, line_of(begin),
                            f"the function has {length} lines, at most {FUNCTION_LINES_MAX}")
        folder = os.path.dirname(path).removeprefix("feedrate/") + "/"
        pure = path.startswith("feedrate/") and folder.startswith(tuple(f"{f}/" for f in PURE))
        if path in BLOCKING or path.endswith(("_test.cc", "_testing.h", "_test_support.h")):
            return
        for pattern, instead, places in ONE_WAY if path.startswith("feedrate/") else ():
            for match in re.finditer(pattern, code) if path not in places else ():
                self.report(path, line_of(match.start()), f"{match.group(0).strip()}: {instead}")
        library = path.startswith("feedrate/") and not folder.startswith("cli/")
        for pattern, instead in BANNED if pure else QUIET if library else []:
            for match in re.finditer(pattern, code):
                self.report(path, line_of(match.start()), f"{match.group(0).strip()}: {instead}")

    def check_presets(self):
        """Each preset says every setting of CMakeLists.txt: what another one left in the cache of
        the same folder must not stay."""
        presets, settings = (os.path.join(self.root, name)
                             for name in ("CMakePresets.json", "CMakeLists.txt"))
        if not os.path.exists(presets):
            return
        with open(settings, encoding="utf-8") as file:
            known = set(re.findall(r"^(?:option\(|set\()(FEEDRATE_\w+)(?= \"\" CACHE| \")",
                                   file.read(), re.MULTILINE))
        with open(presets, encoding="utf-8") as file:
            rows = {row["name"]: row for row in json.load(file)["configurePresets"]}
        for name, row in rows.items():
            said = {"CMAKE_BUILD_TYPE"} if row.get("hidden") else set()
            while row:
                said |= row.get("cacheVariables", {}).keys()
                row = rows.get(row.get("inherits"))
            for missing in sorted((known | {"CMAKE_BUILD_TYPE"}) - said):
                self.report("CMakePresets.json", 0, f"preset {name} does not say {missing}")

    def check_format(self):
        tool = shutil.which("clang-format-19")
        if tool is None:
            return "no clang-format-19 here: format not checked"
        paths = [path for path in sorted(self.files) if path.endswith(CODE)]
        done = subprocess.run([tool, "--dry-run", "-Werror", *paths], cwd=self.root,
                              capture_output=True, text=True, check=False)
        seen = set()
        for path, line in re.findall(r"^(\S+?):(\d+):\d+: error:", done.stderr, re.MULTILINE):
            if path not in seen:
                self.report(path, line, f"is not formatted: clang-format-19 -i {path}")
            seen.add(path)
        if done.returncode != 0 and not seen:
            self.report("clang-format-19", 0, done.stderr.strip())
        return ""


def blank(text):
    """The same text, of the same length, without comments and without what literals hold."""

    def hide(match):
        token = match.group(0)
        if token.startswith("/"):
            return re.sub(r"[^\n]", " ", token)
        return token[0] + re.sub(r"[^\n]", " ", token[1:-1]) + token[-1]

    code = TOKENS.sub(hide, text)
    return re.sub(r"^#.*$", lambda match: " " * len(match.group(0)), code, flags=re.MULTILINE)


def closing(code, position):
    """Where the parenthesis closes that was opened just before `position`."""
    depth = 1
    for match in re.compile(r"[()]").finditer(code, position):
        depth += 1 if match.group(0) == "(" else -1
        if depth == 0:
            return match.start()
    return len(code)


def functions(code):
    """(begin, end) of each function in a namespace or a class; lambdas are part of theirs."""
    scopes = []  # for each open brace: "scope", "function" with its begin, or "other"
    statement = 0  # where the statement that may open a brace begins
    for match in re.finditer(r"[{};]", code):
        position, token = match.start(), match.group(0)
        outside = all(kind == "scope" for kind, _ in scopes)
        if token == "{":
            head = code[statement:position].strip()
            begin = code.find(head, statement) if head else position
            if not outside:
                kind = "other"
            elif SCOPE.match(head):
                kind = "scope"
            elif "(" in head and not re.search(r"(?<![=!<>])=\s*$", head):
                kind = "function"
            else:
                kind = "other"
            scopes.append((kind, begin))
        elif token == "}" and scopes:
            kind, begin = scopes.pop()
            if kind == "function":
                yield begin, position
        if all(kind == "scope" for kind, _ in scopes):
            statement = match.end()


def main():
    default = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    tree = Tree(os.path.abspath(sys.argv[1]) if len(sys.argv) > 1 else default)
    tree.read()
    tree.check()
    tree.check_presets()
    note = tree.check_format()
    print("\n".join(tree.violations) or f"{len(tree.files)} files keep the rules")
    if note:
        print(note)
    sys.exit(1 if tree.violations else 0)


if __name__ == "__main__":
    main()
