#!/usr/bin/python3
"""The judge judged: station_events.py against theory, each within a tolerance that is printed."""
import itertools
import math
import sys

import numpy
from scipy import integrate

import station_events

JOB = {"batch": 8, "compute": 0.1, "sample_bytes": 1000000, "files": 20000}
TESTS = []


def test(function):
    TESTS.append(function)
    return function


def law(shape, mean, **more):
    return {"shape": shape, "mean": mean, **more}


def delays(station, rate, count, seed=1):
    """Mean time in a station of Poisson arrivals, the first tenth left out."""
    generator = numpy.random.default_rng(seed)
    serve = station_events.serving(generator, station, 1, station_events.Order(generator, 1000))
    arrivals = numpy.cumsum(generator.exponential(1 / rate, count)).tolist()
    times = [serve(arrival, 0) - arrival for arrival in arrivals]
    return numpy.mean(times[count // 10:])


def one_server(service):
    """Pollaczek and Khinchine: the delay of M/G/1 at a load of 0.7."""
    rate = 0.7 / service["mean"]
    exact = service["mean"] + rate * station_events.second_moment(service) / (2 * (1 - 0.7))
    found = delays({"servers": 1, "service": service}, rate, 400000)
    return f"M/G/1, {service['shape']}, delay in services", found / service["mean"], exact / service["mean"], 0.03


@test
def markov():
    return one_server(law("exponential", 0.01))


@test
def deterministic():
    return one_server(law("fixed", 0.01))


@test
def log_normal():
    return one_server(law("lognormal", 0.01, sigma=0.8))


@test
def pareto():
    return one_server(law("pareto", 0.01, alpha=4.5))


@test
def several_servers():
    """Erlang's C: M/M/4 at a load of 0.8."""
    servers, load, mean = 4, 0.8, 0.01
    offered = servers * load
    tail = offered ** servers / math.factorial(servers) / (1 - load)
    wait = tail / (sum(offered ** k / math.factorial(k) for k in range(servers)) + tail)
    exact = mean + wait * mean / (servers * (1 - load))
    found = delays({"servers": servers, "service": law("exponential", mean)}, offered / mean, 400000)
    return "M/M/4, delay in services", found / mean, exact / mean, 0.03


@test
def pauses():
    """A server with exponential pauses of 1/r, one each 1/f of working time: M/G/1 whose service is
    interrupted work, plus what is left of a pause that an arrival at an idle server meets."""
    mean, on, off, load = 0.001, 0.05, 0.02, 0.4
    up = on / (on + off)
    rate = load * up / mean
    # Completion: work S plus a Poisson number S/on of pauses. E[C^2] = E[S^2]/up^2 + 2 off^2 E[S]/on.
    second = 2 * mean ** 2 / up ** 2 + 2 * off ** 2 * mean / on
    # White and Christie, 1958: exponential on-times go on while idle, too.
    exact = (mean / up + rate * second / (2 * (1 - load))
             + (1 - up) * off)
    station = {"servers": 1, "service": law("exponential", mean),
               "pause": {"on_mean": on, "off_mean": off, "shape": "exponential"}}
    found = delays(station, rate, 600000)
    return "M/M/1 with pauses, delay in services", found / mean, exact / mean, 0.05


def closed(storage, ranks, readers, steps, seed=1, compute=1e-9):
    """A group that only reads: all its readers are always busy."""
    job = {**JOB, "compute": compute}
    return station_events.simulate(storage, job, ranks, readers, 64 * readers + 800, steps, seed)


@test
def two_stations():
    """K customers in two equal exponential stations: throughput K / (K + 1) of one's."""
    station = {"servers": 1, "service": law("exponential", 0.001)}
    found = closed({"stations": [station, station]}, 1, 6, 25000).rate()
    return "6 reads in two equal stations, reads/s", found, 1000 * 6 / 7, 0.02


@test
def repairman():
    """One exponential station and a private delay, by mean value analysis; the delay's law is free."""
    service, think, customers = 0.001, 0.01, 12
    queue = 0.0
    for count in range(1, customers + 1):
        response = service * (1 + queue)
        rate = count / (think + response)
        queue = rate * response
    storage = {"stations": [{"servers": 1, "service": law("exponential", service)}],
               "latency": law("lognormal", think, sigma=0.7)}
    return "12 reads, a station and a delay, reads/s", closed(storage, 1, customers, 25000).rate(), rate, 0.02


@test
def little():
    """Reads in flight = rate x response: they are all the readers, since none is ever idle."""
    storage = {"stations": [{"servers": 3, "service": law("exponential", 0.002)}],
               "latency": law("fixed", 0.004)}
    run = closed(storage, 2, 10, 10000)
    return "Little: reads in flight of 2 x 10 readers", run.rate() * run.response, 20, 0.01


@test
def one_reader():
    """One reader, private latency L, window of two batches: a step takes max(compute, 8 L)."""
    storage = {"stations": [], "latency": law("fixed", 0.02)}
    au, _ = station_events.simulate(storage, JOB, 1, 1, 16, 2000, 1).utilisation()
    return "one reader at 20 ms: AU", au, 0.1 / 0.16, 1e-6


@test
def window_of_a_batch():
    """8 readers, window of a batch: its samples leave when the step starts, so that a step takes the
    longer of the compute time and the slowest of 8 reads."""
    mean, compute = 0.03, 0.06
    storage = {"stations": [], "latency": law("exponential", mean)}
    job = {**JOB, "compute": compute}
    au, _ = station_events.simulate(storage, job, 1, 8, 8, 40000, 1).utilisation()
    longer = integrate.quad(lambda x: 1 - (1 - math.exp(-x / mean)) ** 8, compute, numpy.inf)[0]
    return "window of one batch, exponential reads: AU", au, compute / (compute + longer), 0.01


@test
def slow_rank():
    storage = {"stations": [], "latency": law("fixed", 0.001), "slow_ranks": {"0": 1.12}}
    au, _ = station_events.simulate(storage, JOB, 7, 100, 200, 1000, 1).utilisation()
    return "one of 7 ranks slow by 1.12: AU", au, 1 / 1.12, 1e-9


@test
def barrier():
    """Four ranks, window of a batch: rank r starts its next step when the group's step has ended and
    the slowest of the 8 reads that it issued at the start of this one has come."""
    mean, compute, ranks, steps = 0.03, 0.06, 4, 40000
    storage = {"stations": [], "latency": law("exponential", mean)}
    au, _ = station_events.simulate(storage, {**JOB, "compute": compute}, ranks, 8, 8, steps, 1).utilisation()
    slowest = numpy.random.default_rng(2).exponential(mean, (steps, ranks, 8)).max(axis=2)
    begins = numpy.zeros(ranks)
    for reads in slowest:
        begins = numpy.maximum(begins + reads, begins.max() + compute)
    return "4 ranks that wait for each other: AU", au, steps * compute / begins.max(), 0.01


@test
def share():
    """A tenth of the files take a station of 10 ms: 1,000 reads/s."""
    slow = {"servers": 1, "service": law("fixed", 0.01), "share": 0.1}
    fast = {"servers": 1, "service": law("fixed", 0.0001)}
    found = closed({"stations": [fast, slow]}, 1, 180, 12000).rate()
    return "a tenth of the files in a slow directory, reads/s", found, 1000, 0.02


@test
def pausing_capacity():
    station = {"servers": 2, "service": law("fixed", 0.002),
               "pause": {"on_mean": 0.03, "off_mean": 0.01, "shape": "fixed"}}
    return "pauses of a quarter of the time, reads/s", closed({"stations": [station]}, 2, 20, 10000).rate(), 750, 0.005


@test
def lru():
    """c + (1 - c) ln(1 - c) of the reads hit, at a cache of half the files, fresh orders each epoch."""
    files, share = 8000, 0.5
    storage = {"files": files, "stations": [{"servers": 1, "lru": {
        "bytes": share * files * JOB["sample_bytes"], "hit": law("fixed", 0.0001), "miss": law("fixed", 0.0002)}}]}
    run = closed(storage, 2, 4, 20 * files // 16)
    hits, misses = run.hits
    exact = share + (1 - share) * math.log(1 - share)
    return "LRU of half the files: hits, after the first epoch", hits / (hits + misses - files), exact, 0.04


@test
def epochs():
    """Each epoch of the order is every file once."""
    order = station_events.Order(numpy.random.default_rng(1), 1000)
    for _ in range(3):
        order.extend()
    whole = [sorted(order.numbers[begin:begin + 1000]) == list(range(1000)) for begin in (0, 1000, 2000)]
    differ = order.numbers[:1000] != order.numbers[1000:2000]
    return "epochs that are permutations, and differ", sum(whole) + differ, 4, 0


@test
def laws():
    """The mean of each law, over 300,000 draws."""
    generator = numpy.random.default_rng(3)
    worst = max((abs(numpy.mean(list(itertools.islice(station_events.draws(generator, one), 300000))) - 1), one["shape"])
                for one in (law("fixed", 1.0), law("exponential", 1.0), law("lognormal", 1.0, sigma=1.0),
                            law("pareto", 1.0, alpha=2.5)))
    return f"means of the four laws, worst is {worst[1]}", 1 + worst[0], 1, 0.01


def check():
    good = True
    for one in TESTS:
        name, found, exact, tolerance = one()
        fine = abs(found - exact) <= tolerance * abs(exact)
        print(f"{name}: {found:.5g}, theory {exact:.5g} (within {100 * tolerance:g} %) {'ok' if fine else 'WRONG'}",
              flush=True)
        good = good and fine
    return good


if __name__ == "__main__":
    sys.exit(0 if check() else 1)
