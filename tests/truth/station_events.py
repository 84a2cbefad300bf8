"""A job that reads for accelerators, event by event: the simulator behind judge_events.py.

It is written from definitions alone, and shares no code with the program that it judges:
- An accelerator's step takes its batch: it starts when all samples of the batch are there and the
  step before has ended for all (data parallel), and takes the nominal compute time, for a slow rank
  times its factor. The utilisation AU is nominal compute / elapsed time, over the steps after a
  warm-up, which includes the first step.
- An accelerator has R readers, each with one read in flight, and a window of W samples in order. A
  sample enters the window when a reader starts it and leaves when the accelerator starts on its
  batch.
- A sample is one file. Each epoch is a fresh random permutation of the files; sample p of rank r
  is number p * ranks + r of the permutations laid end to end.
- A read visits the stations in their order. A station has servers in parallel, first come first
  served. One with a share is visited only by the files f with (f * 2654435761 mod 2^32) / 2^32 <
  share. While a station pauses, all its servers stop; work in service goes on afterwards. A latency
  is added at the end, without a queue.
- A station with an LRU cache draws the time of a hit or of a miss, as the cache is when the read
  arrives; a miss puts the file in at once. Cold means that every read misses.
"""
import bisect
import heapq
import itertools
import math

import numpy

DRAWS_AT_ONCE = 1 << 14
SPREAD = 2654435761  # 2^32 / the golden ratio: spreads file numbers evenly


def draws(generator, law):
    """Endless service times of a law, drawn in blocks."""
    shape, mean = law["shape"], law["mean"]
    block = {
        "fixed": lambda count: numpy.full(count, mean),
        "exponential": lambda count: generator.exponential(mean, count),
        "lognormal": lambda count: generator.lognormal(
            math.log(mean) - law["sigma"] ** 2 / 2, law["sigma"], count),
        "pareto": lambda count: (mean * (law["alpha"] - 1) / law["alpha"]
                                 * (1 + generator.pareto(law["alpha"], count))),
    }[shape]
    return itertools.chain.from_iterable(block(DRAWS_AT_ONCE).tolist() for _ in itertools.count())


def second_moment(law):
    """E[S^2] of a law, for the closed forms."""
    mean = law["mean"]
    if law["shape"] == "lognormal":
        return mean ** 2 * math.exp(law["sigma"] ** 2)
    if law["shape"] == "pareto":
        alpha = law["alpha"]
        return (mean * (alpha - 1) / alpha) ** 2 * alpha / (alpha - 2)
    return mean ** 2 * {"fixed": 1, "exponential": 2}[law["shape"]]


class WorkingTime:
    """How much of the time until now a pausing station worked, and the other way round."""

    def __init__(self, generator, pause):
        shape = pause.get("shape", "exponential")
        self.on = draws(generator, {"shape": shape, "mean": pause["on_mean"]})
        self.off = draws(generator, {"shape": shape, "mean": pause["off_mean"]})
        self.begins, self.worked = [0.0], [0.0]  # of each on-period: when, and work done before it
        self.lengths = [next(self.on)]

    def extend(self):
        self.begins.append(self.begins[-1] + self.lengths[-1] + next(self.off))
        self.worked.append(self.worked[-1] + self.lengths[-1])
        self.lengths.append(next(self.on))

    def at(self, time):
        while self.begins[-1] <= time:
            self.extend()
        period = bisect.bisect_right(self.begins, time) - 1
        return self.worked[period] + min(time - self.begins[period], self.lengths[period])

    def when(self, work):
        while self.worked[-1] <= work:
            self.extend()
        period = bisect.bisect_left(self.worked, work) - 1 if work > 0 else 0
        return self.begins[period] + work - self.worked[period]


class Order:
    """The files in the order in which the group reads them, made an epoch at a time."""

    def __init__(self, generator, files):
        self.generator, self.files, self.numbers = generator, files, []

    def extend(self):
        self.numbers += self.generator.permutation(self.files).tolist()


def visitor(share, order):
    """Whether the read with that number in the order visits a station."""
    share = math.ceil(share * 2 ** 32)
    visits = ((numpy.arange(order.files, dtype=numpy.uint64) * SPREAD) % 2 ** 32 < share).tolist()

    def visit(number):
        while number >= len(order.numbers):
            order.extend()
        return visits[order.numbers[number]]

    return visit


def lru_times(generator, lru, sample_bytes, order, cold, counts):
    """Draws the service time of a hit or a miss; counts = [hits, misses]."""
    hit, miss = draws(generator, lru["hit"]), draws(generator, lru["miss"])
    room, held = lru["bytes"] // sample_bytes, {}

    def time(number):
        while number >= len(order.numbers):
            order.extend()
        file = order.numbers[number]
        if not cold and held.pop(file, None):
            held[file] = True
            counts[0] += 1
            return next(hit)
        held[file] = True
        if len(held) > room:
            del held[next(iter(held))]
        counts[1] += 1
        return next(miss)

    return time


def serving(generator, station, sample_bytes, order, cold=False, counts=None):
    """A function (arrival, number) -> departure, which must be called in the order of arrivals.
    A read that does not visit the station departs when it arrives."""
    if "lru" in station:
        time = lru_times(generator, station["lru"], sample_bytes, order, cold, counts or [0, 0])
    else:
        services = draws(generator, station["service"])
        time = None
    free = [0.0] * station["servers"]
    take = heapq.heapreplace
    working = WorkingTime(generator, station["pause"]) if "pause" in station else None

    def serve(arrival, number):
        begin = free[0]
        if arrival > begin:
            begin = arrival
        departure = begin + (next(services) if time is None else time(number))
        take(free, departure)
        return departure

    def pausing(arrival, number):
        return working.when(serve(working.at(arrival), number))

    inner = pausing if working else serve
    share = station.get("share", 1.0)
    if share >= 1:
        return inner
    visit = visitor(share, order)
    return lambda arrival, number: inner(arrival, number) if visit(number) else arrival


class Outcome:
    """When the steps ended, and what the reads did."""

    def __init__(self, ends, compute, batch, ranks, reads, response, hits):
        self.ends, self.compute, self.batch, self.ranks = ends, compute, batch, ranks
        self.reads, self.response, self.hits = reads, response, hits

    def utilisation(self, warm_up=0.2):
        """AU after the first step and that share of the steps, and its standard error."""
        ends = self.ends[max(1, int(len(self.ends) * warm_up)):]
        elapsed = numpy.diff(ends)
        groups = [group.mean() for group in numpy.array_split(elapsed, 20) if len(group)]
        mean = elapsed.mean()
        error = numpy.std(groups, ddof=1) / math.sqrt(len(groups)) if len(groups) > 1 else 0.0
        return self.compute / mean, self.compute / mean * error / mean

    def rate(self, warm_up=0.2):
        """Samples a second of the whole group."""
        return self.utilisation(warm_up)[0] / self.compute * self.batch * self.ranks


def simulate(storage, job, ranks, readers, window, steps, seed, cold=False):
    """Runs so many steps of the group. The window is in samples, whole batches."""
    generator = numpy.random.default_rng(seed)
    batch, compute = job["batch"], job["compute"]
    order = Order(generator, storage.get("files", job.get("files", 100000)))
    hits = [0, 0]
    stations = [serving(generator, station, job["sample_bytes"], order, cold, hits)
                for station in storage["stations"]]
    depth = len(stations)
    latency = draws(generator, storage["latency"]) if "latency" in storage else itertools.repeat(0.0)
    computes = [compute * storage.get("slow_ranks", {}).get(str(rank), 1.0) for rank in range(ranks)]
    events, push, pop = [], heapq.heappush, heapq.heappop
    ring = window // batch + 1
    arrived = [[0] * ring for _ in range(ranks)]  # samples there, of each batch in the window
    free = [readers] * ranks
    started, limit = [0] * ranks, [window] * ranks
    waiting = [True] * ranks  # for the batch of the group's step
    ends, step, missing, group_end = [], 0, ranks, 0.0
    response, reads = 0.0, 0

    def arrive(now, rank, sample, stage):
        """A read arrives at a station; what it does not visit it passes at once."""
        while stage < depth:
            departure = stations[stage](now, sample * ranks + rank)
            stage += 1
            if departure > now and stage < depth:
                push(events, (departure, rank, sample, stage))
                return
            now = departure
        push(events, (now + next(latency), rank, sample, depth))

    def read_on(now, rank):
        nonlocal response
        first = started[rank]
        count = min(free[rank], limit[rank] - first)
        started[rank] = first + count
        free[rank] -= count
        response -= now * count
        for sample in range(first, first + count):
            arrive(now, rank, sample, 0)

    def start(now, rank):
        nonlocal missing, group_end
        waiting[rank] = False
        arrived[rank][step % ring] = 0
        limit[rank] += batch
        group_end = max(group_end, now + computes[rank])
        missing -= 1
        if missing == 0:
            push(events, (group_end, -1, 0, depth))
        read_on(now, rank)

    for rank in range(ranks):
        read_on(0.0, rank)
    while True:
        now, rank, sample, stage = pop(events)
        if stage < depth:
            arrive(now, rank, sample, stage)
        elif rank >= 0:
            reads += 1
            response += now
            counts, slot = arrived[rank], sample // batch % ring
            counts[slot] += 1
            free[rank] += 1
            if counts[slot] == batch and waiting[rank] and slot == step % ring:
                start(now, rank)
            elif started[rank] < limit[rank]:
                read_on(now, rank)
        else:
            ends.append(now)
            step, missing, group_end = step + 1, ranks, 0.0
            if step == steps:
                break
            waiting = [True] * ranks
            for rank in range(ranks):
                if arrived[rank][step % ring] == batch:
                    start(now, rank)
    in_flight = sum(readers - count for count in free)
    # Reads in flight have waited since they began; they are few against those that are done.
    response += now * in_flight
    return Outcome(ends, compute, batch, ranks, reads, response / max(1, reads), hits)
