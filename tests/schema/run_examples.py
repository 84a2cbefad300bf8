#!/usr/bin/python3
"""Holds the examples of the documents to what the program prints.

usage: run_examples.py --feedrate PROGRAM [--source ROOT] [--write]

Of each block of README.md and docs/ that has lines "$ COMMAND" the commands are run, in the order of
the page and in one folder a page, where they are the same everywhere: on the virtual clock, `plan`,
or made of cat, printf and echo. "$ cat FILE.yaml" makes that file from the lines below it. What is
printed must be the lines that the page has; a line of dots stands for any lines. --write puts what is
printed into the page, but not into blocks with such dots.
"""
import argparse
import pathlib
import re
import subprocess
import sys
import tempfile

SAME = re.compile(r"^feedrate (plan|find|train|checkpoint|load)\b")


def is_same(command):
    """Whether the command prints the same on every machine."""
    if re.match(r"^(cat \S+\.ya?ml|printf .*> \S+|echo .*)$", command):
        return True
    return bool(SAME.match(command)) and ("--clock virtual" in command or command.startswith("feedrate plan"))


def steps_of(block):
    steps = []
    for line in block.splitlines():
        if line.startswith("$ "):
            steps.append((line[2:], []))
        elif steps:
            steps[-1][1].append(line)
        else:
            return []
    return steps


def agrees(wanted, got):
    pattern = "\n".join(".*" if line.strip() in ("...", "…") else re.escape(line) for line in wanted)
    return re.fullmatch(pattern, "\n".join(got), re.DOTALL) is not None


def check_page(page, source, program, write):
    text, problems, done = page.read_text(encoding="utf-8"), [], 0
    with tempfile.TemporaryDirectory() as folder:
        pathlib.Path(folder, "catalog").symlink_to((source / "catalog").resolve())
        def run_block(match):
            nonlocal done
            steps = steps_of(match[1])
            if not steps or not all(is_same(command) for command, _ in steps):
                return match[0]
            block = []
            for command, wanted in steps:
                block.append("$ " + command)
                if made := re.match(r"^cat (\S+\.ya?ml)$", command):
                    pathlib.Path(folder, made[1]).write_text("\n".join(wanted) + "\n", encoding="utf-8")
                    block += wanted
                    continue
                ran = subprocess.run(["bash", "-c", f'feedrate() {{ "{program}" "$@"; }}\n{command}'], cwd=folder,
                                     capture_output=True, text=True, timeout=120, check=False)
                got = ran.stdout.rstrip("\n").splitlines()
                done += 1
                if not agrees(wanted, got):
                    problems.append(f"{page}: $ {command}\n" + "\n".join(
                        [f"  page:    {line}" for line in wanted if line not in got] +
                        [f"  program: {line}" for line in got if line not in wanted]))
                block += got
            return "```\n" + "\n".join(block) + "\n```" if write else match[0]

        now = re.sub(r"^```\n(\$ .*?)\n```$", run_block, text, flags=re.DOTALL | re.MULTILINE)
    if write and now != text:
        page.write_text(now, encoding="utf-8")
    return problems, done


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--feedrate", required=True)
    parser.add_argument("--source", default=".")
    parser.add_argument("--write", action="store_true", help="put what is printed into the pages")
    args = parser.parse_args()
    program, problems, done = pathlib.Path(args.feedrate).resolve(), [], 0
    root = pathlib.Path(args.source)
    for page in [root / "README.md", *sorted(root.glob("docs/**/*.md"))]:
        found, ran = check_page(page, root, program, args.write)
        problems += found
        done += ran
    print("\n".join(problems) or f"{done} examples print what the pages say")
    sys.exit(1 if problems and not args.write else 0)


if __name__ == "__main__":
    main()
