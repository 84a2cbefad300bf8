#!/usr/bin/python3
"""How many accelerators a storage of stations keeps fed, by a simulator that shares no code with
the program: station_events.py says by which definitions.

  judge_events.py --storage NAME [-n N] [--readers R] [--window W]   AU of N, or of N and N + 1
  judge_events.py --fill         fills "truth" in the file of storages, and checks it on the way
  judge_events.py --draw SEED [--out FILE]      a file of 12 fresh storages of the same kinds
  judge_events.py --check        the judge itself against queueing theory (check_judge.py)

The file of storages is storages.json beside this script unless --file names another.
"""
import argparse
import json
import math
import os
import sys

import numpy

from station_events import simulate

HERE = os.path.dirname(os.path.abspath(__file__))
MARGIN = 0.005  # AU at N and N + 1 are at least so far from the threshold
KNIFE_EDGE = 0.002  # in the one storage where AU at N + 1 must be closer than this
READS_A_ROUND = 400000
MAX_ROUNDS = 12
ENOUGH = 0.0008  # the standard error of AU at which no further round is simulated
EPOCHS = 12  # of a warm LRU cache, of which the first two fill it


def rounded_up(count, multiple):
    return -(-count // multiple) * multiple


def client(storage, job, n, readers=None, window=None):
    """Readers an accelerator and its window in samples, by default all that one host may have."""
    readers = readers or max(1, storage.get("readers_per_host", 1024) // n)
    batch = job["batch"]
    return readers, window or max(3 * batch, rounded_up(2 * readers, batch))


def utilisation(storage, job, n, readers=None, window=None, seed=1):
    """AU of n accelerators and its standard error, over rounds of different seeds."""
    readers, window = client(storage, job, n, readers, window)
    steps = max(200, READS_A_ROUND // (n * job["batch"]))
    found, weights = [], []
    for round_ in range(MAX_ROUNDS):
        found.append(simulate(storage, job, n, readers, window, steps, [seed, n, round_]).utilisation())
        weights.append(found[-1][1])
        error = math.sqrt(sum(one ** 2 for one in weights)) / len(found)
        if error <= ENOUGH:
            break
    return sum(au for au, _ in found) / len(found), error


def capacity(storage):
    """Samples a second that the stations carry when they are never idle, without caches."""
    most = math.inf
    for station in storage["stations"]:
        rate = station["servers"] / station["service"]["mean"] / station.get("share", 1.0)
        pause = station.get("pause")
        if pause:
            rate *= pause["on_mean"] / (pause["on_mean"] + pause["off_mean"])
        most = min(most, rate)
    return most


def closed_form(storage, job, n):
    """AU of n where windows are large: what the stations carry, or the slowest rank's steps."""
    slowest = max([1.0] + [factor for rank, factor in storage.get("slow_ranks", {}).items()
                           if int(rank) < n])
    return min(1 / slowest, capacity(storage) / (n * job["batch"] / job["compute"]))


def closed_n(storage, job, threshold):
    """The largest n whose AU is at least the threshold; None where there is no end."""
    if math.isinf(capacity(storage)) and not storage.get("slow_ranks"):
        return None
    n = 0
    while closed_form(storage, job, n + 1) >= threshold:
        n += 1
    return n


def command(storage):
    return f"tests/truth/judge_events.py --storage '{storage['name']}'"


def judged(storage, job, threshold, say=print, variants=3):
    """Fills a storage's truth from the closed form, held against the simulation with the usual
    readers and window, with half the readers, and with twice the window, or with the first of these
    variants. False where it fails."""
    n = closed_n(storage, job, threshold)
    knife = storage["name"].startswith("knife edge")
    good = True
    truth = {"n": n, "by": "closed form, judged", "command": command(storage)}
    for key, count in (("au_n", n if n is not None else 64), ("au_n1", None if n is None else n + 1)):
        if not count:
            truth[key] = None
            continue
        exact = closed_form(storage, job, count)
        readers, window = client(storage, job, count)
        trials = [utilisation(storage, job, count, *pair) for pair in
                  ((readers, window), (max(1, readers // 2), window),
                   (readers, 2 * window))[:variants]]
        truth[key] = round(exact, 5)
        truth["judge_" + key] = [round(au, 5) for au, _ in trials]
        truth["judge_error"] = round(max(error for _, error in trials), 5)
        # A window twice as large fills for longer: what it takes ahead meanwhile is no step.
        near = all(abs(au - exact) <= max(allowed, 3 * error)
                   for (au, error), allowed in zip(trials, (0.002, 0.002, 0.005)))
        side = exact >= threshold if key == "au_n" else exact < threshold
        distance = min(abs(au - threshold) for au in [exact] + [au for au, _ in trials])
        if knife and key == "au_n1":
            apart = abs(exact - threshold) <= KNIFE_EDGE
        else:
            apart = distance >= MARGIN
        fine = near and side and apart
        say(f"{storage['name']}: AU of {count} {100 * exact:.2f} %, judged "
            + ", ".join(f"{100 * au:.2f} ± {100 * error:.2f}" for au, error in trials)
            + (" ok" if fine else " WRONG"))
        good = good and fine
    storage["truth"] = truth
    return good


def lru_utilisation(storage, job, n, cold, readers=None, window=None, seed=1):
    readers, window = client(storage, job, n, readers, window)
    epoch = storage["files"] / (n * job["batch"])  # in steps
    steps = int(EPOCHS * epoch)
    run = simulate(storage, job, n, readers, window, steps, [seed, n], cold)
    return run.utilisation(2 / EPOCHS)[0], run.hits


def judged_lru(storage, job, threshold, say=print):
    """N with every read a miss, and N in the steady state of repeated epochs."""
    storage["truth"] = {"by": "judge", "command": command(storage)}
    good = True
    for name, cold in (("cold", True), ("warm", False)):
        n, found = 0, {}
        while n == 0 or found[n][0] >= threshold:
            n += 1
            found[n] = (lru_utilisation(storage, job, n, cold)[0],)
        for count in (n - 1, n):
            readers, window = client(storage, job, count)
            found[count] += (lru_utilisation(storage, job, count, cold, max(1, readers // 2))[0],
                             lru_utilisation(storage, job, count, cold, readers, 2 * window)[0])
        fine = (min(found[n - 1]) >= threshold + MARGIN and max(found[n]) <= threshold - MARGIN)
        storage["truth"][name] = {"n": n - 1, "au_n": round(found[n - 1][0], 5),
                                  "au_n1": round(found[n][0], 5),
                                  "judge_au_n": [round(au, 5) for au in found[n - 1]],
                                  "judge_au_n1": [round(au, 5) for au in found[n]]}
        say(f"{storage['name']}, {name}: {n - 1}, AU "
            + ", ".join(f"{100 * au:.2f}" for au in found[n - 1]) + "; one more "
            + ", ".join(f"{100 * au:.2f}" for au in found[n]) + (" ok" if fine else " WRONG"))
        good = good and fine
    return good


def law(shape, mean, **more):
    return {"shape": shape, "mean": mean, **more}


def station(name, rate, service, servers=1, **more):
    """A station that carries so many visits a second when it never pauses."""
    mean = servers / rate
    return {"name": name, "servers": servers, "service": service(mean), **more}


def drawn(kind, n, generator, job, threshold):
    """A fresh storage of that kind that keeps n accelerators fed, by the closed form."""
    uniform, whole = generator.uniform, generator.integers
    away = 0.01 / threshold  # twice the margin, in accelerators at N = 1
    share = (1 - KNIFE_EDGE / 2 / threshold * (n + 1) if kind == "knife edge"
             else uniform(away * n + 0.02, 0.98 - away * (n + 1)))
    rate = threshold * job["batch"] / job["compute"] * (n + share)
    fixed = lambda mean: law("fixed", mean)
    exponential = lambda mean: law("exponential", mean)
    storage = {"name": kind, "latency": law("fixed", uniform(0.0005, 0.002)), "readers_per_host": 1024}
    servers = int(whole(1, 9))
    if kind in ("fixed", "high latency"):
        stations = [station("main", rate, fixed, servers)]
    elif kind in ("exponential", "knife edge"):
        stations = [station("main", rate, exponential, servers)]
    elif kind == "log-normal":
        sigma = uniform(0.5, 1.2)
        stations = [station("main", rate, lambda mean: law("lognormal", mean, sigma=sigma), servers)]
    elif kind == "heavy tail":
        alpha = uniform(2.5, 3.5)
        stations = [station("main", rate, lambda mean: law("pareto", mean, alpha=alpha), int(whole(1, 5)))]
    elif kind == "operations-bound":
        stations = [station("operations", rate, fixed), station("bytes", rate * uniform(1.5, 4), fixed)]
    elif kind == "open-bound":
        stations = [station("open", rate, exponential, int(whole(1, 5))),
                    station("data", rate * uniform(1.5, 4), fixed, 8)]
    elif kind == "slow directory":
        slow = uniform(0.1, 0.3)
        stations = [station("main", rate * uniform(1.5, 4), fixed),
                    station("slow", rate * slow, fixed, share=slow)]
    elif kind == "bursty":
        on = uniform(0.02, 0.08)
        off = on * uniform(0.1, 0.4)
        stations = [station("main", rate * (on + off) / on, fixed, pause={
            "on_mean": on, "off_mean": off, "shape": "exponential"})]
    elif kind == "straggler":
        stations = [station("main", rate * uniform(20, 40), fixed)]
        storage["slow_ranks"] = {"0": uniform(1.13, 1.3)}
    else:
        stations = []
    if kind == "high latency":
        storage["latency"] = law("lognormal", uniform(0.05, 0.12), sigma=uniform(0.1, 0.4))
    elif kind == "unlimited":
        storage["latency"] = law("exponential", 0.001)
    storage["stations"] = stations
    return storage


KINDS = ["fixed", "exponential", "log-normal", "heavy tail", "operations-bound", "open-bound",
         "slow directory", "straggler", "bursty", "high latency", "knife edge", "unlimited"]
UNBOUNDED_OR_NONE = ("straggler", "unlimited")


def draw(seed, job, threshold, say):
    """Twelve storages, N spread evenly over 0 to 40; one that the judge does not confirm is drawn
    again, and said."""
    generator = numpy.random.default_rng(seed)
    bounded = [kind for kind in KINDS if kind not in UNBOUNDED_OR_NONE]
    strata = generator.permutation(len(bounded))
    storages = []
    for kind in KINDS:
        for attempt in range(20):
            n = 0
            if kind in bounded:
                low = strata[bounded.index(kind)] + generator.uniform()
                n = min(40, int(41 * low / len(bounded)))
            storage = drawn(kind, n, generator, job, threshold)
            if judged(storage, job, threshold, say, variants=2):
                break
            say(f"{kind}: drawn again")
        else:
            raise SystemExit(f"error: no {kind} storage in 20 draws with seed {seed}")
        storage["truth"]["command"] = f"tests/truth/judge_events.py --draw {seed}"
        storages.append(storage)
    return storages


def write(path, spec):
    """A key of a storage is a line: short enough to read, and to compare."""
    def block(storage):
        return "  {" + ",\n   ".join(f"{json.dumps(key)}: {json.dumps(value)}"
                                      for key, value in storage.items()) + "}"

    parts = [f"{json.dumps(key)}: " + ("[\n" + ",\n".join(map(block, value)) + "\n ]"
                                       if isinstance(value, list) else json.dumps(value))
             for key, value in spec.items()]
    with open(path, "w", encoding="utf-8") as file:
        file.write("{\n " + ",\n ".join(parts) + "\n}\n")


def one(args, spec):
    job, threshold = spec["job"], spec["threshold"]
    every = spec["storages"] + spec.get("lru_storages", [])
    named = [storage for storage in every if storage["name"] == args.storage]
    if not named:
        raise SystemExit(f"error: no storage '{args.storage}' in {args.file}\nhint:  it has "
                         + ", ".join(storage["name"] for storage in every))
    storage = named[0]
    if "files" in storage:
        return judged_lru(storage, job, threshold)
    if args.n is None:
        return judged(storage, job, threshold)
    au, error = utilisation(storage, job, args.n, args.readers, args.window, args.seed)
    print(f"{storage['name']}: AU of {args.n} {100 * au:.3f} ± {100 * error:.3f} %")
    return True


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--file", default=os.path.join(HERE, "storages.json"))
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--storage")
    what.add_argument("--fill", action="store_true")
    what.add_argument("--draw", type=int, metavar="SEED")
    what.add_argument("--check", action="store_true")
    parser.add_argument("-n", type=int)
    parser.add_argument("--readers", type=int)
    parser.add_argument("--window", type=int, help="samples")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", help="where --draw writes; /dev/stdout when not given")
    args = parser.parse_args()
    if args.check:
        import check_judge
        sys.exit(0 if check_judge.check() else 1)
    with open(args.file, encoding="utf-8") as file:
        spec = json.load(file)
    job, threshold = spec["job"], spec["threshold"]
    if args.storage:
        good = one(args, spec)
    elif args.fill:
        results = [judged(storage, job, threshold) for storage in spec["storages"]]
        results += [judged_lru(storage, job, threshold) for storage in spec.get("lru_storages", [])]
        write(args.file, spec)
        good = all(results)
    else:
        print(f"seed {args.draw}", file=sys.stderr)
        storages = draw(args.draw, job, threshold, lambda line: print(line, file=sys.stderr, flush=True))
        write(args.out or "/dev/stdout", {"threshold": threshold, "job": job, "seed": args.draw,
                                          "storages": storages})
        good = True
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
