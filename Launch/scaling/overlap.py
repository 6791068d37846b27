"""How much of a run's traffic is hidden behind computing: reads what `electra pretrain --timeline trace.json` wrote.

    python3 Launch/scaling/overlap.py trace.json [--after SECONDS]

A bucket travels from when the last rank hands it on. It is hidden for as long as a lane of the same rank works on a slice
meanwhile and does not wait for weights. Embeddings stand apart: their gradients are final last and their weights are needed first, so nothing can
hide them. --after leaves out the beginning: the first steps are slower than the others.
"""
import argparse
import collections
import json


def merged(spans):
    """Overlapping spans as one, in their order."""
    result = []
    for start, end in sorted(spans):
        if result and start <= result[-1][1]:
            result[-1][1] = max(result[-1][1], end)
        else:
            result.append([start, end])
    return result


def common(span, others):
    """Seconds of `span` that lie in `others`, which do not overlap."""
    return sum(max(0.0, min(span[1], end) - max(span[0], start)) for start, end in others)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("trace")
    parser.add_argument("--after", type=float, default=0)
    args = parser.parse_args()
    with open(args.trace) as file:
        events = json.load(file)["traceEvents"]

    lanes, waits, travels, handed = (collections.defaultdict(list) for _ in range(4))
    for event in sorted((e for e in events if e["ph"] == "X"), key=lambda e: e["ts"]):
        rank, thread, name = event["pid"], event["tid"], event["name"]
        span = (event["ts"] / 1e6, (event["ts"] + event["dur"]) / 1e6)
        if name.startswith("slice"):
            lanes[rank, thread].append(span)
        elif name == "waiting for weights":
            waits[rank, thread].append(span)
        elif name.startswith(("exchange", "gather")):
            travels[rank, name].append(span)
    # The n-th time that a bucket travels is the same on all ranks.
    for (rank, name), spans in travels.items():
        handed[name].append([start for start, _ in spans])

    # What a lane computes is its slices without its waits; what a rank computes is what any lane does.
    computing = collections.defaultdict(list)
    for (rank, thread), slices in lanes.items():
        for start, end in slices:
            for wait_start, wait_end in merged(waits[rank, thread]):
                if start <= wait_start < end:
                    computing[rank].append((start, wait_start))
                    start = wait_end
            computing[rank].append((start, end))
    table = collections.defaultdict(lambda: [0, 0.0, 0.0])
    for (rank, name), spans in travels.items():
        busy = merged(computing[rank])
        for (_, end), starts in zip(spans, zip(*handed[name])):
            if max(starts) < args.after:
                continue
            for row in (name, "all embeddings" if "embeddings." in name else "all other"):
                table[row][0] += 1
                table[row][1] += end - max(starts)
                table[row][2] += common((max(starts), end), busy)

    print("| traffic | times | seconds | hidden |")
    print("|---|---|---|---|")
    for name, (times, seconds, hidden) in sorted(table.items(), key=lambda row: (row[0].startswith("all"), row[0])):
        print(f"| {name} | {times} | {seconds:.2f} | {hidden / seconds if seconds else 0:.0%} |")


main()
