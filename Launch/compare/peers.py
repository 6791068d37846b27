"""One ELECTRA pre-training step in PyTorch, to measure ours against: prints one JSON line.

    python peers.py hf|tuned [--config small|base] [--batch 32] [--length 128] [--threads 1] [--processes 1]

`hf` is what users of transformers write: ElectraForMaskedLM and ElectraForPreTraining with shared embeddings,
vocabulary logits at every position, Gumbel sampling. `tuned` is the same model written for speed: one product for
queries, keys and values, logits at masked positions only, sampling by the inverse distribution function, dropout
decided by one random byte an entry, fused AdamW, denormals flushed; with --processes 2, data-parallel over gloo.
Both: float32, dropout 0.1, random tokens, 15 % masked, clipping at norm 1. The median of the steps behind a
warm-up is reported, with the process's peak memory (the sum, for several).
"""
import argparse
import json
import os
import resource
import socket
import statistics
import time
from types import SimpleNamespace

SIZES = {
    "small": dict(width=256, heads=4, feed=1024, embedding=128, narrow=64, narrow_heads=1, narrow_feed=256),
    "base": dict(width=768, heads=12, feed=3072, embedding=768, narrow=256, narrow_heads=4, narrow_feed=1024),
}
LAYERS, VOCABULARY, POSITIONS, MASK, DROPOUT = 12, 30522, 512, 103, 0.1


def mask(torch, batch, length, generator):
    """Random ids, what the generator sees, and the flat places of the masked positions."""
    count = round(length * 0.15)
    ids = torch.randint(1000, VOCABULARY, (batch, length), generator=generator)
    places = torch.rand(batch, length, generator=generator).topk(count, dim=1).indices
    places = (places + torch.arange(batch)[:, None] * length).flatten()
    shown = places[torch.rand(len(places), generator=generator) < 0.85]
    return ids, ids.flatten().index_fill(0, shown, MASK).view_as(ids), places


def make_hf(torch, size, arguments, generator):
    from transformers import ElectraConfig, ElectraForMaskedLM, ElectraForPreTraining

    def configuration(width, heads, feed):
        return ElectraConfig(
            vocab_size=VOCABULARY, embedding_size=size.embedding, hidden_size=width, num_hidden_layers=LAYERS,
            num_attention_heads=heads, intermediate_size=feed)

    writer = ElectraForMaskedLM(configuration(size.narrow, size.narrow_heads, size.narrow_feed)).train()
    judge = ElectraForPreTraining(configuration(size.width, size.heads, size.feed)).train()
    judge.electra.embeddings = writer.electra.embeddings
    writer.generator_lm_head.weight = writer.electra.embeddings.word_embeddings.weight
    model = torch.nn.ModuleList([writer, judge])

    def loss():
        ids, shown, places = mask(torch, arguments.batch, arguments.length, generator)
        everywhere = torch.ones_like(ids)
        labels = torch.full_like(ids, -100).flatten().index_copy(0, places, ids.flatten()[places]).view_as(ids)
        written = writer(input_ids=shown, attention_mask=everywhere, labels=labels)
        with torch.no_grad():
            logits = written.logits.view(-1, VOCABULARY)[places]
            noise = -torch.log(-torch.log(torch.rand_like(logits) + 1e-9) + 1e-9)
            samples = (logits + noise).argmax(-1)
            corrupted = ids.flatten().index_copy(0, places, samples).view_as(ids)
        judged = judge(input_ids=corrupted, attention_mask=everywhere, labels=(corrupted != ids).long())
        return written.loss + 50 * judged.loss

    return model, loss


def make_tuned(torch, size, arguments, generator):
    from torch import nn
    from torch.nn import functional as F

    batch, length = arguments.batch // arguments.processes, arguments.length
    bound = round(DROPOUT * 256)

    class Bytes:
        """The step's random bytes, drawn at once and handed out in order."""

        def __init__(self, count):
            self.words = torch.empty(count // 8 + 1, dtype=torch.int64)

        def draw(self):
            self.bytes, self.used = self.words.random_(-(2**63), None).view(torch.uint8), 0

        def drop(self, x):
            start, self.used = self.used, self.used + x.numel()
            kept = (self.bytes[start:self.used] >= bound).view(x.shape)
            return torch.where(kept, x * (256 / (256 - bound)), 0.0)

    class Layer(nn.Module):
        def __init__(self, width, heads, feed):
            super().__init__()
            self.heads, self.scale = heads, (width // heads) ** -0.5
            self.project, self.output = nn.Linear(width, 3 * width), nn.Linear(width, width)
            self.inner, self.outer = nn.Linear(width, feed), nn.Linear(feed, width)
            self.norms = nn.ModuleList(nn.LayerNorm(width, eps=1e-12) for _ in range(2))

        def forward(self, x):
            heads = self.project(x).view(batch, length, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
            query, key, value = heads.unbind(0)
            weights = torch.softmax((query * self.scale) @ key.transpose(-1, -2), -1)
            context = (random.drop(weights) @ value).transpose(1, 2).reshape(x.shape)
            x = self.norms[0](x + random.drop(self.output(context)))
            return self.norms[1](x + random.drop(self.outer(F.gelu(self.inner(x)))))

    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            e = size.embedding
            self.word, self.place, self.kind = nn.Embedding(VOCABULARY, e), nn.Embedding(POSITIONS, e), nn.Embedding(2, e)
            self.norm = nn.LayerNorm(e, eps=1e-12)

            def encoder(width, heads, feed):
                first = [] if width == e else [nn.Linear(e, width)]
                return nn.Sequential(*first, *(Layer(width, heads, feed) for _ in range(LAYERS)))

            self.writer = encoder(size.narrow, size.narrow_heads, size.narrow_feed)
            self.judge = encoder(size.width, size.heads, size.feed)
            self.guess, self.guess_norm = nn.Linear(size.narrow, e), nn.LayerNorm(e, eps=1e-12)
            self.guess_bias = nn.Parameter(torch.zeros(VOCABULARY))
            self.verdict, self.score = nn.Linear(size.width, size.width), nn.Linear(size.width, 1)
            for parameter in self.parameters():
                if parameter.ndim > 1:
                    nn.init.trunc_normal_(parameter, std=0.02, a=-0.04, b=0.04)

        def embed(self, ids):
            summed = self.word(ids) + self.place.weight[:length] + self.kind.weight[0]
            return random.drop(self.norm(summed))

        def forward(self, ids, shown, places):
            masked = self.writer(self.embed(shown)).flatten(0, 1).index_select(0, places)
            masked = self.guess_norm(F.gelu(self.guess(masked)))
            scores = F.log_softmax(F.linear(masked, self.word.weight, self.guess_bias), -1)
            written = F.nll_loss(scores, ids.flatten().index_select(0, places))
            with torch.no_grad():
                cumulative = scores.exp().cumsum(-1)
                draws = torch.rand(len(places), 1, generator=generator) * cumulative[:, -1:]
                samples = torch.searchsorted(cumulative, draws).squeeze(-1).clamp_(max=VOCABULARY - 1)
                corrupted = ids.flatten().index_copy(0, places, samples).view_as(ids)
            judged = self.score(F.gelu(self.verdict(self.judge(self.embed(corrupted))))).squeeze(-1)
            return written + 50 * F.binary_cross_entropy_with_logits(judged, (corrupted != ids).float())

    tokens = batch * length
    random = Bytes(2 * tokens * size.embedding + LAYERS * tokens * sum(
        heads * length + 2 * width for width, heads in ((size.width, size.heads), (size.narrow, size.narrow_heads))))
    model = Model()
    network = model
    if arguments.processes > 1:
        network = nn.parallel.DistributedDataParallel(model, gradient_as_bucket_view=True)

    def loss():
        random.draw()
        return network(*mask(torch, batch, length, generator))

    return model, loss


def run(rank, arguments, port):
    os.environ["OMP_NUM_THREADS"] = str(arguments.threads)
    import torch

    torch.set_num_threads(arguments.threads)
    torch.set_flush_denormal(True)
    torch.manual_seed(rank)
    if arguments.processes > 1:
        os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port))
        os.sched_setaffinity(0, {sorted(os.sched_getaffinity(0))[rank % len(os.sched_getaffinity(0))]})
        torch.distributed.init_process_group("gloo", rank=rank, world_size=arguments.processes)
    generator = torch.Generator().manual_seed(1 + rank)
    make = make_hf if arguments.peer == "hf" else make_tuned
    model, loss = make(torch, SimpleNamespace(**SIZES[arguments.config]), arguments, generator)
    parameters = list(model.parameters())
    groups = [
        dict(params=[p for p in parameters if p.ndim > 1], weight_decay=0.01),
        dict(params=[p for p in parameters if p.ndim < 2], weight_decay=0.0),
    ]
    optimizer = torch.optim.AdamW(groups, lr=5e-4, eps=1e-6, fused=True)
    times = []
    for _ in range(arguments.warmup + arguments.steps):
        start = time.perf_counter()
        value = loss()
        value.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0, foreach=True)
        optimizer.step()
        optimizer.zero_grad(set_to_none=arguments.processes == 1)
        value.item()
        times.append(time.perf_counter() - start)
    memory = torch.tensor([float(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)])
    if arguments.processes > 1:
        torch.distributed.all_reduce(memory)
    if rank == 0:
        seconds = statistics.median(times[arguments.warmup:])
        print(json.dumps(dict(
            seconds=seconds, tokens_per_second=arguments.batch * arguments.length / seconds,
            peak_memory_bytes=int(memory.item()))), flush=True)
    if arguments.processes > 1:
        torch.distributed.destroy_process_group()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("peer", choices=["hf", "tuned"])
    parser.add_argument("--config", default="small", choices=SIZES)
    for name, default in dict(batch=32, length=128, threads=1, processes=1, warmup=2, steps=3).items():
        parser.add_argument("--" + name, type=int, default=default)
    arguments = parser.parse_args()
    if arguments.peer == "hf" and arguments.processes > 1:
        parser.error("hf runs in one process")
    if arguments.batch % arguments.processes:
        parser.error(f"{arguments.processes} processes do not share {arguments.batch} sequences evenly")
    if arguments.processes == 1:
        return run(0, arguments, 0)
    import multiprocessing

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=run, args=(rank, arguments, port)) for rank in range(arguments.processes)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    raise SystemExit(max(worker.exitcode for worker in workers))


if __name__ == "__main__":
    main()
