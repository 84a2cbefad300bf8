#!/usr/bin/python3
"""Says what of the code that judges no test has reached, from the counters of a build of the preset
`coverage`: lines and branches that set a verdict, a validity or an exit status.

  cmake --preset coverage && ninja -C build/coverage feedrate_result_test feedrate_engine_test
  build/coverage/lib/feedrate_result_test && build/coverage/lib/feedrate_engine_test
  tools/coverage.py build/coverage feedrate/result feedrate/engine/summary.cc

With --all: every line and branch that was not reached, judging or not. Counters add up over all
programs that ran; `find build/coverage -name '*.gcda' -delete` begins anew. The exit status is 1
where something that judges was not reached.
"""
import argparse
import collections
import json
import pathlib
import re
import subprocess
import sys

# Statements that judge, and functions that do nothing else.
STATEMENTS = re.compile(r"\bvalid\b|invalid_reasons|\bverdict\b|Verdict::k|\breturn (?:k(?:Fails|Undecided|Interrupted)|"
                        r"\d+);|\? 0 : \d|\b_?exit\(|\b(?:ok|warn|bad|unknown)\(")
# What else has branches clears up after an exception, or destroys what stands in an array.
CONDITIONS = re.compile(r"\?|\bif \(|&&|\|\||\bswitch\b|\bfor \(|\bwhile \(")
FUNCTIONS = re.compile(r"\b(?:verdict\w*|judge\w*|exit_status|form|find_limiter|\w+_limits?|is_too_short)\(")


def statements_of(lines):
    """For each line the whole statement that it is part of."""
    texts, start = {}, 0
    for number, line in enumerate(lines):
        code = line.split("//")[0].rstrip()
        if code and code[-1] not in ";{}" and number + 1 < len(lines):
            continue
        for each in range(start, number + 1):
            texts[each + 1] = " ".join(lines[start:number + 1])
        start = number + 1
    return texts


def counts_of(build, root):
    """By file and line: how often, each branch, and the function."""
    lines = collections.defaultdict(lambda: collections.defaultdict(int))
    branches = collections.defaultdict(dict)
    functions = {}
    for data in sorted(build.rglob("*.gcda")):
        text = subprocess.run(["gcov", "--json-format", "--stdout", "--branch-probabilities", str(data)],
                              cwd=data.parent, capture_output=True, text=True, check=True).stdout
        for report in map(json.loads, text.splitlines()):
            for file in report["files"]:
                path = (pathlib.Path(report["current_working_directory"]) / file["file"]).resolve()
                if not path.is_relative_to(root / "feedrate") or re.search("_test(ing)?[.]", path.name):
                    continue
                names = {each["name"]: each["demangled_name"] for each in file["functions"]}
                for line in file["lines"]:
                    at = (path, line["line_number"])
                    lines[path][line["line_number"]] += line["count"]
                    functions[at] = names.get(line.get("function_name"), "")
                    taken = [each["count"] for each in line["branches"] if not each["throw"]]
                    # One entry for each instance of a template: those of the same form add up.
                    sums = branches[at].setdefault(len(taken), [0] * len(taken))
                    branches[at][len(taken)] = [a + b for a, b in zip(sums, taken)]
    return lines, branches, functions


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build")
    parser.add_argument("paths", nargs="*", default=["feedrate"], help="files and folders to look at")
    parser.add_argument("--all", action="store_true")
    args = parser.parse_args()
    root = pathlib.Path(__file__).resolve().parent.parent
    wanted = [(pathlib.Path(each)).resolve() for each in args.paths]
    lines, branches, functions = counts_of(pathlib.Path(args.build).resolve(), root)
    missing = 0
    for path in sorted(lines):
        if not any(path == each or path.is_relative_to(each) for each in wanted):
            continue
        text = path.read_text().splitlines()
        statements = statements_of(text)
        reached = sum(1 for count in lines[path].values() if count)
        print(f"{path.relative_to(root)}: {reached} of {len(lines[path])} lines reached")
        for number, count in sorted(lines[path].items()):
            judges = STATEMENTS.search(statements[number]) or FUNCTIONS.search(functions[(path, number)])
            taken = [each for form in branches[(path, number)].values() for each in form]
            code = text[number - 1].strip()
            if not CONDITIONS.search(re.sub(r'"[^"]*"', '""', code)):
                taken = []
            if not (judges or args.all) or (count and all(taken)) or code in ("}", "};"):
                continue
            missing += 1 if judges else 0
            what = "not reached" if not count else f"{sum(not each for each in taken)} of {len(taken)} branches"
            print(f"  {number}: {what}: {code}")
    print(f"{missing} lines that judge have something that no test reached")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
