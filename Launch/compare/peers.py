"""ELECTRA pre-training steps in PyTorch, to compare electra's speed with: prints one JSON line.

    python peers.py hf|tuned [--config small|base|tiny] [--batch 32] [--length 128] [--threads 1]
                             [--processes 1] [--bfloat16]

hf      The step as users of transformers write it: ElectraForMaskedLM and ElectraForPreTraining
        with shared embeddings, vocabulary logits at every position, Gumbel sampling.
tuned   The same model written for speed (tuned_electra.py), with an allocator that keeps freed
        memory (machine.py). With --processes 2, data-parallel over gloo: DistributedDataParallel
        exchanges gradients during the backward pass, in place.

Both use dropout 0.1 (tuned: 26/256), random tokens, 15 % masked positions, fused AdamW, flush
denormals to zero, and clip the gradient's norm at 1. Arithmetic is float32, or with --bfloat16
torch.autocast's; a processor without AVX512-BF16 or AMX emulates that, many times slower, and the
result is labelled so. Each process gets `threads` cores for itself. `tiny` is for short trials.

The line has the median time of the steps after a warm-up, the peak memory (for several processes
the sum), the first and last loss, and the settings that matter.
"""
import argparse
import json
import multiprocessing
import os
import resource
import socket
import statistics
import time
from types import SimpleNamespace

import machine

SIZES = {
    "small": dict(
        width=256, heads=4, feed=1024, layers=12, embedding=128,
        generator_width=64, generator_heads=1, generator_feed=256, generator_layers=12),
    "base": dict(
        width=768, heads=12, feed=3072, layers=12, embedding=768,
        generator_width=256, generator_heads=4, generator_feed=1024, generator_layers=12),
    "tiny": dict(
        width=128, heads=4, feed=512, layers=3, embedding=128,
        generator_width=64, generator_heads=2, generator_feed=256, generator_layers=1),
}
VOCABULARY, MASK = 30522, 103


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

    def configuration(width, heads, feed, layers):
        return ElectraConfig(
            vocab_size=VOCABULARY, embedding_size=size.embedding, hidden_size=width,
            num_hidden_layers=layers, num_attention_heads=heads, intermediate_size=feed)

    generator = ElectraForMaskedLM(configuration(
        size.generator_width, size.generator_heads, size.generator_feed,
        size.generator_layers)).train()
    discriminator = ElectraForPreTraining(configuration(
        size.width, size.heads, size.feed, size.layers)).train()
    discriminator.electra.embeddings = generator.electra.embeddings
    generator.generator_lm_head.weight = generator.electra.embeddings.word_embeddings.weight
    model = torch.nn.ModuleList([generator, discriminator])

    def loss():
        ids, masked_ids, positions = mask(torch, args.batch, args.length, random)
        everywhere = torch.ones_like(ids)
        labels = torch.full_like(ids, -100).flatten()
        labels = labels.index_copy(0, positions, ids.flatten()[positions]).view_as(ids)
        predicted = generator(input_ids=masked_ids, attention_mask=everywhere, labels=labels)
        with torch.no_grad():
            logits = predicted.logits.view(-1, VOCABULARY)[positions]
            noise = -torch.log(-torch.log(torch.rand_like(logits) + 1e-9) + 1e-9)
            samples = (logits + noise).argmax(-1)
            corrupted = ids.flatten().index_copy(0, positions, samples).view_as(ids)
        detected = discriminator(
            input_ids=corrupted, attention_mask=everywhere, labels=(corrupted != ids).long())
        return predicted.loss + 50 * detected.loss

    return model, loss


def make_tuned(torch, size, args, random):
    """The model of tuned_electra.py, and a function: the loss of a new batch of this process."""
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


def prepare_process(rank, args, port):
    """Gives process `rank` its cores and threads and connects it with the others; returns torch."""
    cores = machine.cores()[rank * args.threads:(rank + 1) * args.threads]
    if len(cores) == args.threads:
        # Before the import of torch, whose thread pool takes over the affinity.
        os.sched_setaffinity(0, cores)
    import torch

    torch.set_num_threads(args.threads)
    torch.set_flush_denormal(True)
    torch.manual_seed(rank)
    if args.processes > 1:
        os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port))
        torch.distributed.init_process_group("gloo", rank=rank, world_size=args.processes)
    return torch


def timed_steps(torch, model, loss, args):
    """Trains `model`; returns seconds and loss of each step, warm-up included."""
    parameters = list(model.parameters())
    optimizer = make_optimizer(torch, parameters)
    steps = []
    for _ in range(args.warmup + args.steps):
        start = time.perf_counter()
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=args.bfloat16):
            value = loss()
        value.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0, foreach=True)
        optimizer.step()
        # Gradients that are views of DistributedDataParallel's buffers are zeroed, not freed.
        optimizer.zero_grad(set_to_none=args.processes == 1)
        number = value.item()
        steps.append((time.perf_counter() - start, number))
    return steps


def run(rank, args, port):
    """Trains a model of random tokens in process `rank`; rank 0 prints the result."""
    torch = prepare_process(rank, args, port)
    random = torch.Generator().manual_seed(1 + rank)
    make = make_hf if args.peer == "hf" else make_tuned
    model, loss = make(torch, SimpleNamespace(**SIZES[args.config]), args, random)
    steps = timed_steps(torch, model, loss, args)
    memory = torch.tensor([float(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)])
    if args.processes > 1:
        torch.distributed.all_reduce(memory)
    if rank == 0:
        seconds = statistics.median(duration for duration, _ in steps[args.warmup:])
        print(json.dumps(dict(
            seconds=seconds, tokens_per_second=args.batch * args.length / seconds,
            peak_memory_bytes=int(memory.item()), first_loss=steps[0][1], last_loss=steps[-1][1],
            torch=torch.__version__, allocator=args.allocator,
            arithmetic=machine.arithmetic("bfloat16" if args.bfloat16 else "float32"))),
            flush=True)
    if args.processes > 1:
        torch.distributed.destroy_process_group()


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("peer", choices=["hf", "tuned"])
    parser.add_argument("--config", default="small", choices=SIZES)
    defaults = dict(batch=32, length=128, threads=1, processes=1, warmup=2, steps=3)
    for name, default in defaults.items():
        parser.add_argument("--" + name, type=int, default=default)
    parser.add_argument("--bfloat16", action="store_true")
    args = parser.parse_args()
    if args.peer == "hf" and args.processes > 1:
        parser.error("hf runs in one process")
    if args.batch % args.processes:
        parser.error(f"--batch {args.batch} is not a multiple of --processes {args.processes}")
    # Allocator and OpenMP read the environment when a process starts, so even one process is
    # started anew. Users of transformers keep glibc's allocator.
    args.allocator = machine.keep_freed_memory() if args.peer == "tuned" else "glibc"
    os.environ["OMP_NUM_THREADS"] = str(args.threads)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    context = multiprocessing.get_context("spawn")
    workers = [
        context.Process(target=run, args=(rank, args, port)) for rank in range(args.processes)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    raise SystemExit(max(abs(worker.exitcode) for worker in workers))


if __name__ == "__main__":
    main()
