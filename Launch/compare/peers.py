"""One ELECTRA pre-training step in PyTorch, to compare electra's speed with: prints one JSON line.

    python peers.py hf|tuned [--config small|base] [--batch 32] [--length 128] [--threads 1] [--processes 1]

hf      The step as users of transformers write it: ElectraForMaskedLM and ElectraForPreTraining with shared embeddings,
        vocabulary logits at every position, Gumbel sampling.
tuned   The same model written for speed (tuned_electra.py): one product for queries, keys and values, logits at masked
        positions only, sampling by the inverse distribution function, dropout from one random byte per element, fused
        AdamW, denormals flushed to zero. With --processes 2, data-parallel over gloo.

Both use float32, dropout 0.1, random tokens, 15 % masked positions, and clip the gradient's norm at 1. The line has the
median time of the steps after a warm-up, and the peak memory (for several processes the sum).
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
    "small": dict(
        width=256, heads=4, feed=1024, embedding=128, generator_width=64, generator_heads=1, generator_feed=256),
    "base": dict(
        width=768, heads=12, feed=3072, embedding=768, generator_width=256, generator_heads=4, generator_feed=1024),
}
LAYERS, VOCABULARY, MASK = 12, 30522, 103


def mask(torch, batch, length, random):
    """A batch: random ids (B, T), the same with masks (B, T), and the flat masked positions (M).

    As in the reference, 15 % of the masked positions keep their token.
    """
    count = round(length * 0.15)
    ids = torch.randint(1000, VOCABULARY, (batch, length), generator=random)
    positions = torch.rand(batch, length, generator=random).topk(count, dim=1).indices
    positions = (positions + torch.arange(batch)[:, None] * length).flatten()
    replaced = positions[torch.rand(len(positions), generator=random) < 0.85]
    return ids, ids.flatten().index_fill(0, replaced, MASK).view_as(ids), positions


def make_hf(torch, size, args, random):
    """The model of transformers' users, and a function that returns the loss of a new batch."""
    from transformers import ElectraConfig, ElectraForMaskedLM, ElectraForPreTraining

    def configuration(width, heads, feed):
        return ElectraConfig(
            vocab_size=VOCABULARY, embedding_size=size.embedding, hidden_size=width, num_hidden_layers=LAYERS,
            num_attention_heads=heads, intermediate_size=feed)

    generator = ElectraForMaskedLM(
        configuration(size.generator_width, size.generator_heads, size.generator_feed)).train()
    discriminator = ElectraForPreTraining(configuration(size.width, size.heads, size.feed)).train()
    discriminator.electra.embeddings = generator.electra.embeddings
    generator.generator_lm_head.weight = generator.electra.embeddings.word_embeddings.weight
    model = torch.nn.ModuleList([generator, discriminator])

    def loss():
        ids, masked_ids, positions = mask(torch, args.batch, args.length, random)
        everywhere = torch.ones_like(ids)
        labels = torch.full_like(ids, -100).flatten().index_copy(0, positions, ids.flatten()[positions]).view_as(ids)
        predicted = generator(input_ids=masked_ids, attention_mask=everywhere, labels=labels)
        with torch.no_grad():
            logits = predicted.logits.view(-1, VOCABULARY)[positions]
            noise = -torch.log(-torch.log(torch.rand_like(logits) + 1e-9) + 1e-9)
            samples = (logits + noise).argmax(-1)
            corrupted = ids.flatten().index_copy(0, positions, samples).view_as(ids)
        detected = discriminator(input_ids=corrupted, attention_mask=everywhere, labels=(corrupted != ids).long())
        return predicted.loss + 50 * detected.loss

    return model, loss


def make_tuned(torch, size, args, random):
    """The model of tuned_electra.py, and a function that returns the loss of a new batch of this process."""
    import tuned_electra

    batch, length = args.batch // args.processes, args.length
    model = network = tuned_electra.Model(size, (batch, length), random)
    if args.processes > 1:
        network = torch.nn.parallel.DistributedDataParallel(model, gradient_as_bucket_view=True)

    def loss():
        model.dropout.draw()
        return network(*mask(torch, batch, length, random))

    return model, loss


def make_optimizer(torch, parameters):
    """AdamW, without weight decay for biases and layer normalization."""
    groups = [
        dict(params=[p for p in parameters if p.ndim > 1], weight_decay=0.01),
        dict(params=[p for p in parameters if p.ndim < 2], weight_decay=0.0),
    ]
    return torch.optim.AdamW(groups, lr=5e-4, eps=1e-6, fused=True)


def run(rank, args, port):
    """Trains a model of random tokens in process `rank`; rank 0 prints the result."""
    os.environ["OMP_NUM_THREADS"] = str(args.threads)
    import torch

    torch.set_num_threads(args.threads)
    torch.set_flush_denormal(True)
    torch.manual_seed(rank)
    if args.processes > 1:
        os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port))
        os.sched_setaffinity(0, {sorted(os.sched_getaffinity(0))[rank % len(os.sched_getaffinity(0))]})
        torch.distributed.init_process_group("gloo", rank=rank, world_size=args.processes)
    random = torch.Generator().manual_seed(1 + rank)
    make = make_hf if args.peer == "hf" else make_tuned
    model, loss = make(torch, SimpleNamespace(**SIZES[args.config]), args, random)
    parameters = list(model.parameters())
    optimizer = make_optimizer(torch, parameters)
    times = []
    for _ in range(args.warmup + args.steps):
        start = time.perf_counter()
        value = loss()
        value.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0, foreach=True)
        optimizer.step()
        optimizer.zero_grad(set_to_none=args.processes == 1)
        value.item()
        times.append(time.perf_counter() - start)
    memory = torch.tensor([float(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)])
    if args.processes > 1:
        torch.distributed.all_reduce(memory)
    if rank == 0:
        seconds = statistics.median(times[args.warmup:])
        print(json.dumps(dict(
            seconds=seconds, tokens_per_second=args.batch * args.length / seconds,
            peak_memory_bytes=int(memory.item()))), flush=True)
    if args.processes > 1:
        torch.distributed.destroy_process_group()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("peer", choices=["hf", "tuned"])
    parser.add_argument("--config", default="small", choices=SIZES)
    for name, default in dict(batch=32, length=128, threads=1, processes=1, warmup=2, steps=3).items():
        parser.add_argument("--" + name, type=int, default=default)
    args = parser.parse_args()
    if args.peer == "hf" and args.processes > 1:
        parser.error("hf runs in one process")
    if args.batch % args.processes:
        parser.error(f"--batch {args.batch} is not a multiple of --processes {args.processes}")
    if args.processes == 1:
        return run(0, args, 0)
    import multiprocessing

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=run, args=(rank, args, port)) for rank in range(args.processes)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    raise SystemExit(max(worker.exitcode for worker in workers))


if __name__ == "__main__":
    main()
