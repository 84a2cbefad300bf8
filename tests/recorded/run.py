#!/usr/bin/python3
"""Runs the commands of commands.txt on the virtual clock and holds their results against recorded ones.

  run.py --feedrate PROGRAM [--record] [--only TEXT]

A line of commands.txt is "NAME: ARGUMENTS". The program writes its JSON; every number, flag and
enumeration of it must be the recorded one. Sentences, the host and times of day are not compared: a
string with a space that is no figure with its unit is a sentence. renamed.txt says which keys were
renamed since the recording.

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


def line_of(values):
    texts = [json.dumps(value) for value in values]
    if len(texts) <= SHOWN:
        return ", ".join(texts)
    total = hashlib.sha256("\n".join(texts).encode()).hexdigest()[:12]
    return f"{len(texts)} values, {texts[0]} .. {texts[-1]}, {total}"


def values_of(document):
    found = {}
    leaves(document, "", found)
    return {path: values for path, values in found.items() if not LEFT_OUT.match(path)}


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


class Renamed:
    """The rules of renamed.txt: the first one that fits a path is used."""

    def __init__(self, lines):
        self.rules, self.words = [], []
        for line in lines:
            verbs, _, rule = line.partition(": ")
            old, arrow, new = rule.partition(" -> ")
            if line.startswith("#") or not arrow:
                continue
            path, equals, word = old.partition(" = ")
            if equals:
                self.words.append((path, json.dumps(word.strip()), json.dumps(new.strip())))
            else:
                self.rules.append((verbs.split(), old.strip(), new.strip()))

    def line(self, path, line):
        """A recorded line in the words of now."""
        for where, old, new in self.words:
            line = line.replace(old, new) if path == where else line
        return line

    def path(self, verb, path):
        """The path now, None where it is gone, and whether empty values used to be left out."""
        for verbs, old, new in self.rules:
            whole = not old.endswith(("*", "."))
            start = old.rstrip("*")
            if verb not in verbs and verbs != ["all"]:
                continue
            if path != old if whole else not path.startswith(start):
                continue
            if new == "gone":
                return None, False
            filled = new.endswith(" where not empty")
            new = new.removesuffix(" where not empty")
            return (new if whole else new.rstrip("*") + path[len(start):]), filled
        return path, False


def run(program, arguments):
    """The exit status and the lines of the result of one command, run in a folder of its own."""
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(HERE / "inputs", folder, dirs_exist_ok=True)
        os.symlink(ROOT / "catalog", os.path.join(folder, "catalog"))
        done = subprocess.run([program, *arguments, "--json", "result.json", "--quiet"], cwd=folder,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=300)
        file = pathlib.Path(folder, "result.json")
        if not file.exists():
            return {"exit": [done.returncode], "no result": [(done.stderr.splitlines() or [""])[0]]}
        return {"exit": [done.returncode], **values_of(json.loads(file.read_text()))}


def compare(name, recorded, now, renamed):
    verb = json.loads(recorded.get("kind", recorded.get("verb", '""')))
    wrong = []
    for old, value in recorded.items():
        path, filled = renamed.path(verb, old)
        if path is None:
            continue
        values = now.get(path)
        lines = [] if values is None else [line_of(values)]
        if filled and values is not None:
            lines.append(line_of([each for each in values if each not in (None, "", 0)]))
        value = renamed.line(old, value)
        if values is None and set(value.split(", ")) == {'"gone"'}:
            continue
        # What stood in `effective`, where all values are texts, may be a number elsewhere now.
        if value not in lines and (path == old or value.replace('"', "") not in lines):
            wrong.append(f"  {path}: recorded {value}, now {lines[0] if lines else 'missing'}")
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
    table = HERE / "renamed.txt"
    renamed = Renamed(table.read_text().splitlines() if table.exists() else [])
    good = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for name, now in zip(commands, pool.map(lambda words: run(program, words), commands.values())):
            file = HERE / "recorded" / f"{name}.txt"
            if args.record:
                file.parent.mkdir(exist_ok=True)
                file.write_text("".join(f"{path} = {line_of(values)}\n" for path, values in now.items()))
                good += 1
                continue
            recorded = dict(line.split(" = ", 1) for line in file.read_text().splitlines()) if file.exists() else {}
            good += compare(name, recorded, now, renamed)
    print(f"{good} of {len(commands)} {'recorded' if args.record else 'as recorded'}")
    sys.exit(0 if good == len(commands) and commands else 1)


if __name__ == "__main__":
    main()
