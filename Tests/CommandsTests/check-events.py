"""Compares the event files of a run, read by TensorBoard, with its metrics.jsonl.

    python check-events.py RUN

Checked: every number of every line is a scalar of that name and step in the folder of the line's split, with its
value in float32, and TensorBoard reads no other scalar. One line a finding; exit status 1 if anything differs.
"""
import collections
import json
import struct
import sys

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

run = sys.argv[1]
expected = collections.defaultdict(dict)
for line in open(f"{run}/metrics.jsonl", encoding="utf-8"):
    values = json.loads(line)
    numbers = {
        (name, values["step"]): struct.unpack("f", struct.pack("f", value))[0] for name, value in values.items()
        if name not in ("step", "time") and isinstance(value, (int, float)) and not isinstance(value, bool)}
    expected[values.get("split")].update(numbers)

findings = []
count = 0
for split, numbers in expected.items():
    if not numbers:
        continue
    reader = EventAccumulator(f"{run}/{split}" if split else run, size_guidance={"scalars": 0})
    reader.Reload()
    found = {
        (name, event.step): event.value for name in reader.Tags()["scalars"] for event in reader.Scalars(name)}
    count += len(found)
    for key in sorted(numbers.keys() | found.keys()):
        if numbers.get(key) != found.get(key):
            findings.append(f"{split or 'training'}: {key}: {found.get(key)} and not {numbers.get(key)}")
for finding in findings:
    print(finding)
print(f"TensorBoard reads {count} scalars, {len(findings)} findings")
sys.exit(1 if findings or not count else 0)
