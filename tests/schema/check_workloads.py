#!/usr/bin/python3
"""Holds every catalogue file to docs/workload.schema.json, and the schema to its own rules.

usage: check_workloads.py ROOT [FILE.yaml ...]
"""
import json
import pathlib
import sys

import jsonschema
import yaml


def problems_of(validator, file):
    document = yaml.safe_load(file.read_text())
    for problem in validator.iter_errors(document):
        path = ".".join(str(part) for part in problem.absolute_path)
        yield f"{file}: {path}: {problem.message}"


# What must not pass: a schema that allows all would be of no use.
WRONG = (
    {},
    {"name": "a/b"},
    {"dataset": {"files": 0}},
    {"dataset": {"labels": "nowhere"}},
    {"dataset": {"fiels": 3}},
    {"accelerators": {}},
    {"accelerators": {"v100": {"batch_samples": 4}}},
    {"timings": {"user": {"h100": {"batch_samples": 4, "compute": "1ms"}}}},
    {"reeders": 3},
    {"transfer_bytes": 100},
    {"au_threshold": 70},
    {"accelerators": {"v100": {"batch_samples": 4, "compute": 7200}}},
)


def merged(base, change):
    result = dict(base)
    for key, value in change.items():
        both = isinstance(value, dict) and isinstance(base.get(key), dict) and value
        result[key] = merged(base[key], value) if both else value
    return result


def main():
    root = pathlib.Path(sys.argv[1])
    schema = json.loads((root / "docs/workload.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    files = [pathlib.Path(name) for name in sys.argv[2:]]
    files = files or sorted((root / "catalog/workloads").glob("*.yaml"))
    problems = [problem for file in files for problem in problems_of(validator, file)]
    right = {"name": "mine",
             "dataset": {"files": 1, "format": "npz", "sample_bytes_mean": 1},
             "accelerators": {"h100": {"batch_samples": 4, "compute": 0.1}}}
    if not validator.is_valid(right):
        problems.append("the smallest workload is refused")
    for change in WRONG:
        wrong = merged(right, change) if change else {"name": "mine"}
        if validator.is_valid(wrong):
            problems.append(f"this is allowed: {wrong}")
    print("\n".join(problems) or f"{len(files)} workloads agree with the schema")
    return 1 if problems or not files else 0


if __name__ == "__main__":
    sys.exit(main())
