#!/usr/bin/python3
"""Whether the harness of find's interval sees a wrong rule: applies each patch beside this file to
a copy of the tree, builds the harness there, and runs it on three storages at 30 s. What is not
patched must pass; each patched one must fail, and each patch must still apply.

usage: run.py [--seeds 400] [--dir build/mutants]
"""
import argparse
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
STORAGES = HERE / "storages.json"


def run(*words, **options):
    return subprocess.run([str(word) for word in words], capture_output=True, text=True, **options)


def must(*words, **options):
    done = run(*words, **options)
    if done.returncode != 0:
        sys.exit(f"error: {' '.join(map(str, words))}\n{(done.stdout + done.stderr)[-4000:]}")
    return done.stdout


# Files that git knows, or would: what a fresh clone would hold. Contents that are the same are left
# alone, so that a second build has little to do.
def copy_to(tree):
    names = must("git", "ls-files", "-co", "--exclude-standard", "-z", cwd=ROOT).split("\0")
    for name in filter(None, names):
        source, target = ROOT / name, tree / name
        if not source.is_file():
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        data = source.read_bytes()
        if not target.exists() or target.read_bytes() != data:
            target.write_bytes(data)
            target.chmod(source.stat().st_mode)


def build(tree):
    must("cmake", "--preset", "release", cwd=tree)
    must("cmake", "--build", "build/release", "--target", "feedrate_find_truth", cwd=tree)
    return tree / "build/release/tests/truth/feedrate_find_truth"


def harness(program, seeds):
    done = run(ROOT / "tests/truth/find_coverage.py", program, STORAGES, "--seeds", seeds, "--budgets",
               30, "--held", 0.985, "--single-wrong", 1, "--all-narrow")
    if done.returncode not in (0, 1) or "held" not in done.stdout:
        sys.exit(f"error: the harness itself did not run\n{done.stdout}{done.stderr}")
    return done.returncode == 0, done.stdout


def said(output):
    held = re.search(r"held \d[^;]*", output).group()
    return "; ".join([held] + re.findall(r"FAILED: (?!coverage of all)(.*)", output))


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=400)
    parser.add_argument("--dir", type=pathlib.Path, default=ROOT / "build/mutants")
    options = parser.parse_args()
    tree = options.dir / "tree"
    copy_to(tree)
    failures = 0
    passed, output = harness(build(tree), options.seeds)
    print(f"not patched: {'passed' if passed else 'FAILED'}: {said(output)}", flush=True)
    failures += not passed
    for patch in sorted(HERE.glob("*.patch")):
        applied = run("patch", "--batch", "--forward", "--fuzz=0", "-p0", "-i", patch, cwd=tree)
        if applied.returncode != 0:
            print(f"{patch.stem}: FAILED: the patch no longer applies: say it anew\n{applied.stdout}")
            failures += 1
        else:
            passed, output = harness(build(tree), options.seeds)
            print(f"{patch.stem}: {'FAILED: not seen' if passed else 'caught'}: {said(output)}",
                  flush=True)
            failures += passed
        for leftover in list(tree.glob("feedrate/**/*.orig")) + list(tree.glob("feedrate/**/*.rej")):
            leftover.unlink()
        copy_to(tree)
    print(f"{failures} failed" if failures else "all mutants caught")
    sys.exit(1 if failures else 0)


main()
