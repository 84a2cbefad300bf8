#!/usr/bin/python3
"""Runs every verb that writes a report, and holds it to the generated schema and to its own text.

  check_reports.py --feedrate PROGRAM --describe PROGRAM --source ROOT [--write]

The schema and the page in docs/ must be what the program's tables say (--write makes them so). The
report of each verb must be valid, and `show` of it must print what the verb printed: the text has
nothing that is not in the JSON. Each setting in `effective` must be an option of the verb, and a value of it.
"""
import argparse
import copy
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import jsonschema

MODEL = "model:catalog/storage/nvme-gen4.yaml"
VIRTUAL = ["--storage", MODEL, "--clock", "virtual"]
# In this order: later ones read what earlier ones wrote.
COMMANDS = [
    ["train", "resnet50", *VIRTUAL, "-n", "2", "--steps", "20"],
    ["train", "unet3d", *VIRTUAL, "-n", "16", "--steps", "12", "--client", "faithful"],
    ["train", "resnet50", *VIRTUAL, "-n", "2", "--epochs", "1", "--size", "1GiB", "--set", "shuffle_buffer_samples=9",
     "--checkpoint-every", "2steps", "--checkpoint-model", "llama3-8b", "--checkpoint-async", "--checkpoint-incremental"],
    ["train", "unet3d", "--storage", "null", "--clock", "virtual", "--client", "faithful", "--readers", "0", "--time", "2m"],
    ["train", "resnet50", *VIRTUAL, "--steps", "9", "--alone",
     "--with", f"train unet3d --storage {MODEL} --clock virtual -n 2"],
    ["find", "resnet50", *VIRTUAL, "--size", "20GiB", "--budget", "40s"],
    ["find", "resnet50", *VIRTUAL, "--size", "20GiB", "--client", "faithful", "--max-rate", "1GB/s", "--wall", "20s"],
    ["find", "resnet50", *VIRTUAL, "--size", "20GiB", "--budget", "20s", "--at-least", "8"],
    ["find", "unet3d", *VIRTUAL, "--size", "20GiB", "--budget", "1s"],
    ["datagen", "unet3d", "data", "--size", "300MiB"],
    ["datagen", "unet3d", "later", "--dry-run"],
    ["drop-caches", "data"],
    ["train", "unet3d", "data", "-n", "1", "--steps", "4", "--batch", "1", "--verify"],
    ["plan", "resnet50", "--accelerators", "64", "--type", "h100"],
    ["plan", "llama3-8b", "resnet50", "--sweep", "accelerators=8,64"],
    ["checkpoint", "llama3-8b", "ck", "--scale", "0.0001", "--count", "3", "--incremental", "--changed", "10%"],
    ["plan", "llama3-8b", "bert", "--accelerator-memory", "80GB", "--read-bandwidth", "20GB/s", "--set", "epochs=3",
     "--host-memory", "1TiB", "--snapshot-bandwidth", "20GB/s", "--changed", "5%", "--accelerator-cost", "2.5",
     "--mtbf", "50000h", "--parameters", "8B"],
    ["checkpoint", "llama3-8b", "ck2", *VIRTUAL, "--mtbf", "50000h", "--time", "30d"],
    ["restore", "ck"],
    ["compact", "ck"],
    ["load", "llama3-8b", "ck", "--replicas", "2"],
    ["doctor", "ck\udcff"],
    ["workloads"],
    ["workloads", "--formats"],
    ["workloads", "--catalogue"],
    # Reports of what failed.
    ["restore", "ck", "--step", "77"],
    ["compact", "ck", "--step", "77"],
]
# What must not pass: a schema that allows all would be of no use.
CHANGES = [
    ("feedrate", 1), ("verb", "other"), ("valid", "yes"), ("warnings", [1]), ("place", None), ("result", {}),
]


def run(program, words, folder):
    return subprocess.run([program, *words], cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, check=False,
                          timeout=300)


def reports_in(value):
    """All reports: the document, and those of jobs and trials inside it."""
    if isinstance(value, dict):
        if isinstance(value.get("effective"), dict):
            yield value
        for inner in value.values():
            yield from reports_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from reports_in(inner)


def no_settings(describe, report):
    """The lines of `effective` that are no option of their verb, or no value of that option."""
    verb = {"together": "train"}.get(report["verb"], report["verb"])
    jobs = [job["name"] for point in report["result"].get("points", []) for job in point["jobs"]] if verb == "plan" else []
    lines = []
    for key, value in report["effective"].items():
        first, _, rest = key.partition(" ")
        if key.startswith("++"):  # a word that changes a DLIO file, which is no option
            continue
        key = first if first == "set" else rest if first in jobs else key
        lines.append(f"{key}\t{value}")
    done = subprocess.run([describe, "no-values", verb], input="\n".join(lines), capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


def problems_of(program, describe, validator, words, folder, number):
    name = f"report{number}.json"
    done = run(program, [*words, "--json", name, "--quiet"], folder)
    file = pathlib.Path(folder, name)
    if not file.exists():
        return [f"{words}: no report: {done.stderr.decode(errors='replace')}"]
    report = json.loads(file.read_text())
    found = [f"{words}: {'.'.join(map(str, problem.absolute_path))}: {problem.message[:200]}"
             for error in validator.iter_errors(report)
             for problem in (error.context or [error])][:5]
    for key, value in CHANGES:
        wrong = copy.deepcopy(report)
        wrong[key] = value
        if validator.is_valid(wrong):
            found.append(f"{words}: {key} = {value} is allowed")
    for each in reports_in(report):
        found += [f"{words}: effective of {each['verb']}: '{line}'" for line in no_settings(describe, each)]
    if not report["effective"]:
        found.append(f"{words}: no setting is told of")
    shown = run(program, ["show", name], folder)
    failed = not report["valid"] and not done.stdout  # the error on stderr is all that it printed
    if shown.returncode != 0 or (shown.stdout != done.stdout and not failed):
        pairs = zip(done.stdout.decode(errors="replace").splitlines(), shown.stdout.decode(errors="replace").splitlines())
        first = next((f"'{a}' and '{b}'" for a, b in pairs if a != b), shown.stderr.decode(errors="replace"))
        found.append(f"{words}: shown from its report the text differs: {first}")
    lines = run(program, ["show", name, "--csv", "-"], folder)
    if lines.returncode != 0 or lines.stdout.count(b"\r\n") < 20:
        found.append(f"{words}: CSV has {lines.stdout.count(b'')} lines")
    verdict = report["verdict"]
    if words[0] != "doctor" and not shown.stdout.decode(errors="replace").startswith(verdict.split(chr(10))[0]):
        found.append(f"{words}: the first line is not the verdict '{verdict}'")
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--feedrate", required=True)
    parser.add_argument("--describe", required=True)
    parser.add_argument("--source", required=True)
    parser.add_argument("--write", action="store_true")
    args = parser.parse_args()
    program, docs = os.path.abspath(args.feedrate), pathlib.Path(args.source, "docs")
    problems = []
    for what, name in (("results-page", "results.md"), ("results-schema", "results.schema.json")):
        text = subprocess.run([args.describe, what], capture_output=True, text=True, check=True).stdout
        if args.write:
            (docs / name).write_text(text)
        elif (docs / name).read_text() != text:
            problems.append(f"docs/{name} is not what the tables say: run tests/schema/check_reports.py --write")
    schema = json.loads((docs / "results.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    with tempfile.TemporaryDirectory() as folder:
        os.symlink(pathlib.Path(args.source, "catalog").resolve(), os.path.join(folder, "catalog"))
        for number, words in enumerate(COMMANDS):
            problems += problems_of(program, os.path.abspath(args.describe), validator, words, folder, number)
    print("\n".join(problems) or f"{len(COMMANDS)} reports agree with the schema and with their texts")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
