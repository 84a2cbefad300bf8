#!/usr/bin/python3
"""Counts how often find's interval holds the true number: runs feedrate_find_truth over storages,
seeds and budgets, and compares with the truth that judge_events.py or a closed form gave.

usage: find_coverage.py FIND_TRUTH STORAGES.json [--seeds 100] [--first 1] [--budgets 10,30,120]
                        [--names NAME,...] [--jobs 2] [--at-least | --framework | --named]
                        [--held 0.95]
                        [--single-wrong 0.02] [--all-narrow]

With --at-least the question is whether N, and N + 1, are fed, with the first of the budgets: wrong
answers are at most 2 %, open ones at most 10 % where AU is a point or more from the threshold.
--held is the least share of all intervals that must hold the truth, --single-wrong the largest share
of single numbers that may be wrong. With --all-narrow every storage's median width must be narrow
enough.

With --named each answer that is open and names a budget is asked again with that budget and the same
seed: how often does it tell then? In most seeds of each storage, and in 80 % of all, it has to.
Where AU at N + 1 is within 0.2 points of the threshold that is shown, but not judged: a first look
does not know how near it is, and what is named after a second one is longer.

With --framework it is N for the framework's habits, with 18 s, against "framework_truth": by runs
of that client at every number (feedrate_find_truth --faithful STORAGES.json NAME 1 2 400 --au).
"""
import argparse
import collections
import concurrent.futures
import json
import math
import statistics
import subprocess
import sys

FRAMEWORK_BUDGET = 18  # seconds: 30 % of the default of 60
FRAMEWORK_WIDTH = 3, 0.2
WIDTH = {10: (4, 0.4), 30: (2, 0.2), 120: (2, 0.1)}  # of budget: whole numbers, share of N


def run(program, path, name, first, seeds, budget, at_least=None, framework=False):
    words = [program, "--faithful"] if framework else [program]
    words += [path, name, str(first), str(seeds), str(budget)]
    if at_least is not None:
        words.append(str(at_least))
    out = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    return [json.loads(line) for line in out.splitlines()]


def check_at_least(options, storages, budget):
    cells = []
    for storage in storages:
        n = storage["truth"]["n"]
        au = storage["truth"].get("au_n"), storage["truth"].get("au_n1")
        if n is None:
            cells.append((storage, 40, "pass", 1.0))
            continue
        if n > 0:
            cells.append((storage, n, "pass", au[0]))
        cells.append((storage, n + 1, "fail", au[1]))
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        results = list(pool.map(
            lambda cell: run(options.program, options.storages, cell[0]["name"], options.first,
                             options.seeds, budget, cell[1]), cells))
    counts = collections.Counter()
    print(f"{'storage':18} asked  should  pass  fail  undecided  AU")
    for (storage, asked, should, au), lines in zip(cells, results):
        answers = collections.Counter(line["answer"] for line in lines)
        print(f"{storage['name']:18} {asked:5}  {should:6} {answers['pass']:5} {answers['fail']:5} "
              f"{answers['undecided']:10}  {au}")
        counts["pass asked" if should == "pass" else "fail asked"] += len(lines)
        counts["wrong fail" if should == "pass" else "wrong pass"] += answers[
            "fail" if should == "pass" else "pass"]
        if abs(au - 0.9) >= 0.01:
            counts["clear"] += len(lines)
            counts["open"] += answers["undecided"]
    wrong = (counts["wrong pass"] / counts["fail asked"], counts["wrong fail"] / counts["pass asked"],
             counts["open"] / counts["clear"])
    print(f"wrong pass {100 * wrong[0]:.1f} %, wrong fail {100 * wrong[1]:.1f} %, undecided "
          f"{100 * wrong[2]:.1f} % where AU is a point or more from the threshold")
    return 1 if wrong[0] > 0.02 or wrong[1] > 0.02 or wrong[2] > 0.1 else 0


def rounded_budget(seconds):
    """What is said of a budget of so many seconds (budget_text in feedrate/base/units.cc)."""
    for step in (10, 20, 30, 45, 60, 90, 120, 180, 300, 600, 900, 1200, 1800, 2700, 3600):
        if step >= seconds:
            return step
    return math.ceil(seconds / 3600) * 3600


def tells(line, numbers):
    """Whether no more numbers are left, or nothing that is worth another budget."""
    return line["measured"] and (line["high"] - line["low"] < numbers or line["narrower"] == 0)


def is_at_the_edge(storage):
    au = storage["truth"].get("au_n1")
    return au is not None and abs(au - 0.9) < 0.002


def check_named(options, storages, budgets):
    """Whether the budget that an open answer names is enough."""
    cells = [(s, b) for b in budgets for s in storages]

    def ask_again(cell):
        storage, budget = cell
        asked = told = 0
        named = []
        for line in run(options.program, options.storages, storage["name"], options.first,
                        options.seeds, budget):
            seconds = line["narrower"] if line["measured"] else line["first_look"]
            if seconds <= 0:
                continue
            seconds = rounded_budget(seconds)
            again = run(options.program, options.storages, storage["name"], line["seed"], 1, seconds)[0]
            asked += 1
            named.append(seconds)
            told += tells(again, line["numbers"]) if line["measured"] else again["measured"]
        return asked, told, named

    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        results = list(pool.map(ask_again, cells))
    failed = False
    print(f"{'storage':18} budget  named  told  median and longest of the named")
    for (storage, budget), (asked, told, named) in zip(cells, results):
        edge = is_at_the_edge(storage)
        poor = told <= asked / 2 and asked > 0 and not edge
        failed = failed or poor
        print(f"{storage['name']:18} {budget:6} {asked:6} {told:5}  {statistics.median(named or [0]):.0f} s, "
              f"{max(named or [0]):.0f} s{'  << in most it does not' if poor else ''}"
              f"{'  (not judged)' if edge else ''}")
    judged = [r for (storage, _), r in zip(cells, results) if not is_at_the_edge(storage)]
    asked, told = sum(r[0] for r in judged), sum(r[1] for r in judged)
    print(f"told {told} of {asked} ({100 * told / max(1, asked):.0f} %)")
    return 1 if failed or told < 0.8 * asked else 0


def truth_of(storage):
    n = storage["truth"]["n"]
    return n if n is not None else None


def check_framework(options, storages, budget):
    """N for the framework's habits, against long runs of the same client at every number."""
    storages = [s for s in storages if "framework_truth" in s]
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        results = list(pool.map(
            lambda storage: run(options.program, options.storages, storage["name"], options.first,
                                options.seeds, budget, framework=True), storages))
    total = held = single = single_wrong = narrow = 0
    print(f"{'storage':24} true  AU there, one more   held  median width  single  wrong")
    for storage, lines in zip(storages, results):
        truth = storage["framework_truth"]
        good = sum(holds(line, truth["n"]) for line in lines)
        alone = [line for line in lines if line["low"] == line["high"]]
        wrong = sum(not holds(line, truth["n"]) for line in alone)
        width = statistics.median(line["high"] - line["low"] for line in lines)
        narrow += width <= max(FRAMEWORK_WIDTH[0], FRAMEWORK_WIDTH[1] * truth["n"])
        total, held = total + len(lines), held + good
        single, single_wrong = single + len(alone), single_wrong + wrong
        print(f"{storage['name']:24} {truth['n']:4}  {str(truth['au_n']):>8}  {truth['au_n1']:8}   {good:4}"
              f" {width:13.1f}  {len(alone):6}  {wrong:5}")
    print(f"held {held} of {total}; of {single} single numbers {single_wrong} wrong; narrow enough: "
          f"{narrow} of {len(storages)}")
    return 1 if held < 0.95 * total or single_wrong > 0.02 * single or narrow < len(storages) - 2 else 0


def holds(line, truth):
    if truth is None:  # unlimited: as many as there may be
        return line["high"] == line["limit"]
    return line["low"] <= truth <= line["high"]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("storages")
    parser.add_argument("--seeds", type=int, default=100)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--budgets", default="10,30,120")
    parser.add_argument("--names", default="")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--at-least", action="store_true")
    parser.add_argument("--held", type=float, default=0.95)
    parser.add_argument("--single-wrong", type=float, default=0.02)
    parser.add_argument("--all-narrow", action="store_true")
    parser.add_argument("--named", action="store_true",
                        help="whether the budget that an open answer names is enough")
    parser.add_argument("--framework", action="store_true",
                        help="N for the framework's habits, in the share of 60 s that it gets")
    options = parser.parse_args()
    described = json.load(open(options.storages))
    storages = described["storages"]
    if options.framework:
        storages += described.get("framework_storages", [])
    if options.names:
        storages = [s for s in storages if s["name"] in options.names.split(",")]
    if options.framework:
        sys.exit(check_framework(options, storages, FRAMEWORK_BUDGET))
    if options.at_least:
        sys.exit(check_at_least(options, storages, int(options.budgets.split(",")[0])))
    budgets = [int(b) for b in options.budgets.split(",")]
    if options.named:
        sys.exit(check_named(options, storages, budgets))
    cells = [(s, b) for b in budgets for s in storages]
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        results = list(pool.map(
            lambda cell: run(options.program, options.storages, cell[0]["name"], options.first,
                             options.seeds, cell[1]), cells))
    failed = []
    total = held = single = single_wrong = 0
    narrow = collections.Counter()
    print(f"{'storage':18} {'budget':>6} {'true':>4} {'held':>5} {'width':>6} {'single':>6} {'wrong':>5} spent")
    for (storage, budget), lines in zip(cells, results):
        truth = truth_of(storage)
        good = sum(holds(line, truth) for line in lines)
        singles = [line for line in lines if line["low"] == line["high"]]
        wrong = sum(not holds(line, truth) for line in singles)
        width = statistics.median(line["high"] - line["low"] for line in lines)
        whole, share = WIDTH[budget]
        limit = max(whole, share * (truth or 0))
        is_narrow = width <= limit or (truth is None and all(l["low"] == l["limit"] for l in lines))
        narrow[budget] += is_narrow
        if options.all_narrow and not is_narrow:
            failed.append(f"{storage['name']} at {budget} s: median width {width}, at most {limit}")
        total += len(lines)
        held += good
        single += len(singles)
        single_wrong += wrong
        unnamed = [l for l in lines if l["high"] - l["low"] > limit and not l["narrower"] and truth is not None]
        mark = "" if good >= 0.9 * len(lines) else "  << coverage"
        if mark:
            failed.append(f"{storage['name']} at {budget} s: {good} of {len(lines)}")
        if unnamed:
            failed.append(f"{storage['name']} at {budget} s: {len(unnamed)} wide answers name no budget")
        print(f"{storage['name']:18} {budget:6} {str(truth):>4} {good:5} {width:6.1f} {len(singles):6} {wrong:5}"
              f" {statistics.mean(l['spent'] for l in lines):6.1f}{'' if is_narrow else '  wide'}{mark}")
    print(f"held {held} of {total} ({100 * held / total:.1f} %); of {single} single numbers "
          f"{single_wrong} wrong ({100 * single_wrong / max(1, single):.1f} %); narrow enough: "
          + ", ".join(f"{narrow[b]} of {len(storages)} at {b} s" for b in sorted(narrow)))
    if held < options.held * total:
        failed.append(f"coverage of all: {held} of {total}")
    if single_wrong > options.single_wrong * single:
        failed.append(f"single numbers: {single_wrong} of {single} are wrong")
    for line in failed:
        print("FAILED: " + line)
    sys.exit(1 if failed else 0)


main()
