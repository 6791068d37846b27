"""Shows how much of a run's communication overlaps with computation, from `electra pretrain --timeline trace.json`.

    python3 Launch/scaling/overlap.py trace.json [--after SECONDS]

The exchange of a bucket starts when the last rank submits it. It is hidden while a worker thread of the same rank
computes a slice and does not wait for weights. Embeddings have their own line: their gradients are final last and their
weights are needed first, so nothing can hide their exchange. --after excludes the first seconds, which are slower.

Prints a table with one line per bucket and two sums: how often it was exchanged, the seconds of all ranks, and the
hidden share of them.
"""
import argparse
import collections
import json


def merged(spans):
    """The union of spans, as disjoint spans in order."""
    result = []
    for start, end in sorted(spans):
        if result and start <= result[-1][1]:
            result[-1][1] = max(result[-1][1], end)
        else:
            result.append([start, end])
    return result


def common(span, others):
    """Seconds of `span` that lie in `others`, which are disjoint."""
    return sum(max(0.0, min(span[1], end) - max(span[0], start)) for start, end in others)


def read_spans(path):
    """Spans in seconds: slices and waits by (rank, thread), exchanges by (rank, name of the bucket)."""
    with open(path) as file:
        events = [event for event in json.load(file)["traceEvents"] if event["ph"] == "X"]
    slices, waits, exchanges = (collections.defaultdict(list) for _ in range(3))
    for event in sorted(events, key=lambda event: event["ts"]):
        rank, thread, name = event["pid"], event["tid"], event["name"]
        span = (event["ts"] / 1e6, (event["ts"] + event["dur"]) / 1e6)
        if name.startswith("slice"):
            slices[rank, thread].append(span)
        elif name == "waiting for weights":
            waits[rank, thread].append(span)
        elif name.startswith(("exchange", "gather")):
            exchanges[rank, name].append(span)
    return slices, waits, exchanges


def computing_spans(slices, waits):
    """The spans in which each rank computes: any of its threads is in a slice and does not wait for weights."""
    computing = collections.defaultdict(list)
    for (rank, thread), spans in slices.items():
        waiting = merged(waits[rank, thread])
        for start, end in spans:
            for wait_start, wait_end in waiting:
                if start <= wait_start < end:
                    computing[rank].append((start, wait_start))
                    start = wait_end
            computing[rank].append((start, end))
    return {rank: merged(spans) for rank, spans in computing.items()}


def overlap_table(exchanges, computing, after):
    """Count, seconds and hidden seconds of each bucket and of the two sums."""
    # The n-th exchange of a bucket is the same on all ranks.
    submitted = collections.defaultdict(list)
    for (_, name), spans in exchanges.items():
        submitted[name].append([start for start, _ in spans])
    table = collections.defaultdict(lambda: [0, 0.0, 0.0])
    for (rank, name), spans in exchanges.items():
        for (_, end), starts in zip(spans, zip(*submitted[name])):
            start = max(starts)
            if start < after:
                continue
            for row in (name, "all embeddings" if "embeddings." in name else "all other"):
                table[row][0] += 1
                table[row][1] += end - start
                table[row][2] += common((start, end), computing.get(rank, []))
    return table


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("trace")
    parser.add_argument("--after", type=float, default=0)
    args = parser.parse_args()
    slices, waits, exchanges = read_spans(args.trace)
    table = overlap_table(exchanges, computing_spans(slices, waits), args.after)
    print("| communication | times | seconds | hidden |")
    print("|---|---|---|---|")
    for name, (times, seconds, hidden) in sorted(table.items(), key=lambda row: (row[0].startswith("all"), row[0])):
        print(f"| {name} | {times} | {seconds:.2f} | {hidden / seconds if seconds else 0:.0%} |")


if __name__ == "__main__":
    main()
