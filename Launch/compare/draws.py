"""The random choices of an electra fine-tuning, for PyTorch: the batches of its steps and its dropout masks.

With these, PyTorch's loss of every step can be compared with electra's, dropout included. This file repeats
SplitMix.swift and Permutation.swift of Sources/Tensors/Random (orders),
Sources/Runs/Finetuning/FinetuningBatches.swift (slices of a batch), Sources/Tensors/Random/RandomStream.swift and
Sources/Tensors/Kernels/Dropout.swift (masks).
"""
import itertools

import numpy as np

ALL = (1 << 64) - 1


def mix(z):
    """The finalizer of SplitMix64 (Steele, Lea and Flood 2014)."""
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 & ALL
    z = (z ^ z >> 27) * 0x94D049BB133111EB & ALL
    return z ^ z >> 31


def permutation(count, seed, stream):
    """A random order of range(count): a Feistel network over the next power of four."""
    state = mix(seed + 0x9E3779B97F4A7C15 & ALL) ^ mix(stream * 0xD1342543DE82EF95 + 1 & ALL)
    keys = [mix(state + (i + 1) * 0x9E3779B97F4A7C15 & ALL) for i in range(4)]
    bits = next(bits for bits in range(1, 32) if bits == 31 or 1 << 2 * bits >= count)

    def shuffled(value):
        left, right = value >> bits, value & (1 << bits) - 1
        for key in keys:
            left, right = right, left ^ mix(right ^ key) & (1 << bits) - 1
        return left << bits | right

    order = [shuffled(index) for index in range(count)]
    # Values that are too large are encrypted again until they fit (cycle walking), so the result is a permutation.
    while max(order) >= count:
        order = [shuffled(value) if value >= count else value for value in order]
    return order


def batches(lengths, batch, slices, seed):
    """For each step its examples, slice by slice.

    The examples of a batch are assigned longest first, each to the slice with the fewest tokens that is not full.
    """
    passes = (permutation(len(lengths), seed, stream) for stream in itertools.count())
    order = itertools.chain.from_iterable(passes)
    while True:
        examples = list(itertools.islice(order, batch))
        parts = [[] for _ in range(slices)]
        for example in sorted(examples, key=lambda example: -lengths[example]):
            open_parts = [part for part in parts if len(part) < batch // slices]
            min(open_parts, key=lambda part: sum(lengths[other] for other in part)).append(example)
        yield [example for part in parts for example in part]


def philox(count, site, step, sequence, seed):
    """The random words of counters 0..<count, by Philox 4x32-10 (Salmon, Moraes, Dror and Shaw 2011). (count, 4)"""
    low, half = np.uint64(0xFFFFFFFF), np.uint64(32)
    x = [np.arange(count, dtype=np.uint64)] + [np.full(count, word, np.uint64) for word in (site, step, sequence)]
    for index in range(10):
        keys = [(seed >> 32 * i) + index * weyl & 0xFFFFFFFF for i, weyl in enumerate((0x9E3779B9, 0xBB67AE85))]
        first, second = x[0] * np.uint64(0xD2511F53), x[2] * np.uint64(0xCD9E8D57)
        x = [second >> half ^ x[1] ^ np.uint64(keys[0]), second & low,
             first >> half ^ x[3] ^ np.uint64(keys[1]), first & low]
    return np.stack(x, 1)


class Dropout:
    """Replaces torch.nn.functional.dropout in transformers' ELECTRA with its head for sequences.

    The model calls it at the same sites in the same order in every forward pass; the name of a site selects its
    random numbers.
    """

    def __init__(self, torch, layers, rate, seed):
        self.torch, self.seed, self.dropped = torch, seed, round(rate * 65536)
        encoder = [
            f"electra.encoder.layer.{layer}.{site}" for layer in range(layers)
            for site in ("attention.self.probabilities", "attention.output", "output")]
        self.names = itertools.cycle(["electra.embeddings", *encoder, "classifier", "classifier.dense"])
        torch.nn.functional.dropout = self

    def begin(self, step, first, lengths):
        """Announces the next batch: the sequences of a step from `first` on, which have these lengths."""
        self.step, self.first, self.lengths = step, first, lengths

    def factors(self, site, sequence, rows, width):
        """The factor of each element: 0 if it is dropped, else the one that keeps the mean. (rows, width)

        Each element uses 16 random bits; each row begins at a multiple of 64 elements.
        """
        words = philox(rows * -(-width // 64) * 8, site, self.step, sequence, self.seed)
        halves = np.stack([words & np.uint64(0xFFFF), words >> np.uint64(16)], 2)
        kept = halves.reshape(-1, 8, 8).swapaxes(1, 2).reshape(rows, -1)[:, :width] >= self.dropped
        return kept.astype(np.float32) * np.float32(65536 / (65536 - self.dropped))

    def __call__(self, x, p=0.5, training=True, inplace=False):
        if not training:
            return x
        # FNV-1a hash of the site's name.
        site = 2166136261
        for byte in b"dropout:" + next(self.names).encode():
            site = (site ^ byte) * 16777619 & 0xFFFFFFFF
        mask = np.ones(x.shape, np.float32)
        for row, length in enumerate(self.lengths):
            width = x.shape[-1]
            if x.ndim == 4:  # (B, H, T, T)
                heads = x.shape[1]
                factors = self.factors(site, self.first + row, heads * length, length)
                mask[row, :, :length, :length] = factors.reshape(heads, length, length)
            elif x.ndim == 3:  # (B, T, D)
                mask[row, :length] = self.factors(site, self.first + row, length, width)
            else:  # (B, D)
                mask[row] = self.factors(site, self.first + row, 1, width)
        return x * self.torch.from_numpy(mask)
