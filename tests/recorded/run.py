#!/usr/bin/python3
"""Runs the commands of commands.txt on the virtual clock and holds their results against recorded ones.

  run.py --feedrate PROGRAM [--record] [--only TEXT]

A line of commands.txt is "NAME: ARGUMENTS". The program writes its JSON; every number, flag and
enumeration of it must be the recorded one. Sentences, the host and times of day are not compared: a
string with a space that is no figure with its unit is a sentence. renamed.txt says which keys were
renamed since the recording: lines of "OLD -> NEW", of whole paths without indexes.

Records are recorded/NAME.txt: one line a path, with its values in the order of the JSON; of many
values their number, the first, the last and a sum. A change that means to alter results records those
again, and says why in the commit.
"""
import argparse
import concurrent.futures
import hashlib
import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
SHOWN = 6
LEFT_OUT = re.compile(r"^(host\.|.*\.host\.(?!_)|.*\bdate$|.*\bdirectory$|.*_path$)")
FIGURE = re.compile(r"^[0-9.,]+ [A-Za-z%/]+$")


def leaves(value, path, found):
    if isinstance(value, dict):
        for key, inner in value.items():
            leaves(inner, f"{path}.{key}" if path else key, found)
        if not value:
            found.setdefault(path, []).append("{}")
    elif isinstance(value, list):
        found.setdefault(path + "[#]", []).append(len(value))
        for inner in value:
            leaves(inner, path + "[]", found)
    elif isinstance(value, str) and " " in value and not FIGURE.match(value):
        found.setdefault(path, []).append("(sentence)")
    else:
        found.setdefault(path, []).append(value)


def lines_of(document):
    found = {}
    leaves(document, "", found)
    lines = {}
    for path, values in found.items():
        if LEFT_OUT.match(path):
            continue
        texts = [json.dumps(value) for value in values]
        if len(texts) > SHOWN:
            total = hashlib.sha256("\n".join(texts).encode()).hexdigest()[:12]
            lines[path] = f"{len(texts)} values, {texts[0]} .. {texts[-1]}, {total}"
        else:
            lines[path] = ", ".join(texts)
    return lines


def read_commands():
    commands = {}
    for number, line in enumerate((HERE / "commands.txt").read_text().splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        name, _, arguments = line.partition(": ")
        if not re.fullmatch(r"[a-z0-9-]+", name) or name in commands:
            sys.exit(f"commands.txt:{number}: '{name}' is no name, or there twice")
        commands[name] = shlex.split(arguments)
    return commands


def read_renamed():
    file = HERE / "renamed.txt"
    pairs = [line.split(" -> ") for line in file.read_text().splitlines() if " -> " in line] if file.exists() else []
    return {old.strip(): new.strip() for old, new in pairs}


def run(program, arguments):
    """The exit status and the lines of the result of one command, run in a folder of its own."""
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(HERE / "inputs", folder, dirs_exist_ok=True)
        os.symlink(ROOT / "catalog", os.path.join(folder, "catalog"))
        done = subprocess.run([program, *arguments, "--json", "result.json", "--quiet"], cwd=folder,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=300)
        file = pathlib.Path(folder, "result.json")
        if not file.exists():
            return {"exit": str(done.returncode), "no result": (done.stderr.splitlines() or [""])[0]}
        return {"exit": str(done.returncode), **lines_of(json.loads(file.read_text()))}


def compare(name, recorded, now, renamed):
    wanted = {renamed.get(path, path): value for path, value in recorded.items() if renamed.get(path) != "gone"}
    wrong = [f"  {path}: recorded {value}, now {now.get(path, 'missing')}" for path, value in wanted.items()
             if now.get(path) != value]
    wrong += [f"  {path}: not recorded, now {value}" for path, value in now.items() if path not in wanted]
    if wrong:
        print(f"{name}: {len(wrong)} differences\n" + "\n".join(wrong[:12]), flush=True)
    return not wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--feedrate", required=True)
    parser.add_argument("--record", action="store_true", help="write what comes out now as the recording")
    parser.add_argument("--only", default="", help="commands with this text in their names")
    args = parser.parse_args()
    program = os.path.abspath(args.feedrate)
    commands = {name: words for name, words in read_commands().items() if args.only in name}
    renamed = read_renamed()
    good = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for name, now in zip(commands, pool.map(lambda words: run(program, words), commands.values())):
            file = HERE / "recorded" / f"{name}.txt"
            if args.record:
                file.parent.mkdir(exist_ok=True)
                file.write_text("".join(f"{path} = {value}\n" for path, value in now.items()))
                good += 1
                continue
            recorded = dict(line.split(" = ", 1) for line in file.read_text().splitlines()) if file.exists() else {}
            good += compare(name, recorded, now, renamed)
    print(f"{good} of {len(commands)} {'recorded' if args.record else 'as recorded'}")
    sys.exit(0 if good == len(commands) and commands else 1)


if __name__ == "__main__":
    main()
