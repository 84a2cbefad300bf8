#!/usr/bin/python3
"""Counts the instructions of the hot paths (loader, virtual clock, checkpoint stream) and of starting
up, in an old build and a new one, and fails where one takes more than 10 % more. callgrind counts
them, so neither the load of the host nor its clock matters. Run in a scratch directory.

usage: instruction_gate.py NEW [OLD | --against COMMIT]

NEW and OLD are programs. Without OLD the program of COMMIT (HEAD~1) is built in build/old.
"""
import argparse
import os
import re
import subprocess
import sys
import tempfile

MORE_MAX = 1.10
MODEL = "name: gate\nbandwidth: 3GB/s\nlatency: {distribution: exponential, mean: 1ms}\n"
STORAGE = ["--storage", "model:gate.yaml", "--clock", "virtual", "--quiet"]
COMMANDS = {
    "loader, no storage": "train unet3d -n 24 --steps 400 --storage null --clock virtual --quiet".split(),
    "loader, whole batches": ["train", "unet3d", "-n", "4", "--steps", "60", "--client", "faithful", *STORAGE],
    "loader, streams": ["train", "resnet50", "-n", "8", "--steps", "20", "--client", "faithful", *STORAGE],
    "virtual clock": ["train", "retinanet", "-n", "16", "--steps", "300", *STORAGE],
    "search": ["find", "unet3d", "--size", "200GB", "--budget", "10s", "--only-n", *STORAGE],
    "checkpoint stream": ["checkpoint", "llama3-8b", "x", "--scale", "0.3", *STORAGE],
    "start": ["plan", "resnet50", "--accelerators", "64"],
}
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def instructions(program, words, directory):
    done = subprocess.run(
        ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", program, *words],
        cwd=directory, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False)
    found = re.search(r"Collected : (\d+)", done.stderr)
    if found is None or done.returncode not in (0, 5):
        sys.exit(f"{program} {' '.join(words)}: exit status {done.returncode}\n{done.stderr}")
    return int(found.group(1))


def build_old(commit):
    tree, build = os.path.join(ROOT, "build/old-tree"), os.path.join(ROOT, "build/old")
    subprocess.run(["git", "-C", ROOT, "worktree", "remove", "--force", tree], check=False,
                   stderr=subprocess.DEVNULL)
    subprocess.run(["git", "-C", ROOT, "worktree", "add", "--force", "--detach", tree, commit], check=True)
    try:
        subprocess.run(["cmake", "-S", tree, "-B", build, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=RelWithDebInfo",
                        "-DFEEDRATE_TESTS=OFF", "-DFEEDRATE_BENCH=OFF"], check=True)
        subprocess.run(["cmake", "--build", build, "--target", "feedrate_program"], check=True)
    finally:
        subprocess.run(["git", "-C", ROOT, "worktree", "remove", "--force", tree], check=False)
    return os.path.join(build, "feedrate")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("new")
    parser.add_argument("old", nargs="?")
    parser.add_argument("--against", default="HEAD~1", help="commit of the old program")
    asked = parser.parse_args()
    old = os.path.abspath(asked.old) if asked.old else build_old(asked.against)
    slower = 0
    with tempfile.TemporaryDirectory() as directory:
        with open(os.path.join(directory, "gate.yaml"), "w", encoding="utf-8") as file:
            file.write(MODEL)
        print("| path | old, M instructions | new | ratio | |\n| --- | --- | --- | --- | --- |")
        for name, words in COMMANDS.items():
            before = instructions(old, words, directory)
            after = instructions(os.path.abspath(asked.new), words, directory)
            good = after <= MORE_MAX * before
            slower += not good
            print(f"| {name} | {before / 1e6:,.1f} | {after / 1e6:,.1f} | {after / before:.3f} | "
                  f"{'ok' if good else 'MORE than 10 % more'} |", flush=True)
    return 1 if slower else 0


sys.exit(main())
