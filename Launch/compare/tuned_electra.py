"""ELECTRA's pre-training model in PyTorch, written for speed.

Used by peers.py, which sets the number of threads before the import.

ELECTRA's recipe, kept whatever it costs: GELU with erf, dropout also of attention weights, layer
normalization after the residual, one embedding table for both encoders and the vocabulary
projection, samples from the generator's full distribution, float32 losses.

For speed: one product for queries, keys and values; vocabulary logits at masked positions only;
samples by the inverse distribution function; probabilities that serve loss, samples and gradient;
dropout by random bytes.

Tried without a gain on AVX2: torch.compile, contiguous copies of the heads, baddbmm with the scale,
dropout as a torch.autograd.Function, and scaled_dot_product_attention, whose fast kernels for
processors have no dropout.

Shapes: B sequences, T positions, D the width of an encoder, E the embeddings' width, M masked
positions in the batch, V tokens in the vocabulary.
"""
import torch
from torch import nn
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

VOCABULARY, POSITIONS, DROPOUT = 30522, 512, 0.1
# An element is dropped if its random byte is below this bound. Its probability is a multiple of
# 1/256: 26/256 = 0.1016 instead of ELECTRA's 0.1. For speed: a byte costs an eighth of a 64-bit
# random number.
DROP_BELOW = round(DROPOUT * 256)
# Rows whose cumulative distribution is computed at once: for speed, so that it stays in a cache.
SAMPLED_ROWS = 16


class DropoutBytes:
    """The random bytes of a step: all drawn at once, then used in order, one per element that
    dropout decides on."""

    def __init__(self, count):
        self.words = torch.empty(count // 8 + 1, dtype=torch.int64)

    def draw(self):
        """Draws the bytes of the next step."""
        self.bytes, self.used = self.words.random_(-(2**63), None).view(torch.uint8), 0

    def drop(self, x):
        """Dropout of `x`, any shape; kept elements are scaled so that the mean stays the same."""
        start, self.used = self.used, self.used + x.numel()
        kept = (self.bytes[start:self.used] >= DROP_BELOW).view(x.shape)
        return torch.where(kept, x * (256 / (256 - DROP_BELOW)), 0.0)


class Layer(nn.Module):
    """An encoder layer with one product for queries, keys and values. (B, T, D) to (B, T, D)"""

    def __init__(self, width, heads, feed, random):
        super().__init__()
        self.heads, self.scale, self.random = heads, (width // heads) ** -0.5, random
        self.project, self.output = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.inner, self.outer = nn.Linear(width, feed), nn.Linear(feed, width)
        self.norms = nn.ModuleList(nn.LayerNorm(width, eps=1e-12) for _ in range(2))

    def forward(self, x):
        drop = self.random.drop
        heads = self.project(x).view(*x.shape[:2], 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        query, key, value = heads.unbind(0)
        weights = torch.softmax((query * self.scale) @ key.transpose(-1, -2), -1)
        context = (drop(weights) @ value).transpose(1, 2).reshape(x.shape)
        x = self.norms[0](x + drop(self.output(context)))
        return self.norms[1](x + drop(self.outer(F.gelu(self.inner(x)))))


class SampledCrossEntropy(torch.autograd.Function):
    """The generator's loss, a scalar, and one sampled token per row, (M).

    Takes logits (M, V), original tokens (M) and uniform numbers in [0, 1) (M, 1). For speed, one
    array of probabilities serves loss and samples and then becomes the gradient. Separate
    log-softmax, exponential, cumulative sum and backward passes read and write twice as much.
    """

    @staticmethod
    def forward(context, logits, originals, uniform):
        probabilities = torch.softmax(logits, -1)
        rows = torch.arange(len(originals))
        # A probability may underflow to 0, whose logarithm is not finite.
        chosen = probabilities[rows, originals].clamp_min(torch.finfo(logits.dtype).tiny)
        samples = []
        for part, numbers in zip(probabilities.split(SAMPLED_ROWS), uniform.split(SAMPLED_ROWS)):
            cumulative = part.cumsum(-1)
            samples.append(torch.searchsorted(cumulative, numbers * cumulative[:, -1:]).squeeze(-1))
        samples = torch.cat(samples).clamp_(max=logits.shape[1] - 1)
        context.save_for_backward(probabilities, originals)
        context.mark_non_differentiable(samples)
        return -chosen.log().mean(), samples

    @staticmethod
    @once_differentiable
    def backward(context, gradient, _):
        probabilities, originals = context.saved_tensors
        count = len(originals)
        probabilities[torch.arange(count), originals] -= 1
        return probabilities.mul_(gradient / count), None, None


class Model(nn.Module):
    """Generator and discriminator with shared embeddings; its output is the pre-training loss, a
    scalar.

    `size` has widths, heads, feed-forward widths and layers of both encoders (SIZES in peers.py),
    `shape` is (B, T), and `random` the torch.Generator of the samples. May run under
    torch.autocast; the losses are float32 then too.
    """

    def __init__(self, size, shape, random):
        super().__init__()
        batch, length = shape
        encoders = (
            (size.width, size.heads, size.layers),
            (size.generator_width, size.generator_heads, size.generator_layers))
        # Two embeddings of a step; in a layer the attention weights and two outputs.
        self.dropout = DropoutBytes(2 * batch * length * size.embedding + batch * length * sum(
            layers * (heads * length + 2 * width) for width, heads, layers in encoders))
        self.random = random
        e = size.embedding
        self.word, self.position = nn.Embedding(VOCABULARY, e), nn.Embedding(POSITIONS, e)
        self.segment = nn.Embedding(2, e)
        self.norm = nn.LayerNorm(e, eps=1e-12)
        self.generator = self.encoder(e, *encoders[1], size.generator_feed)
        self.discriminator = self.encoder(e, *encoders[0], size.feed)
        self.mlm_dense = nn.Linear(size.generator_width, e)
        self.mlm_norm = nn.LayerNorm(e, eps=1e-12)
        self.mlm_bias = nn.Parameter(torch.zeros(VOCABULARY))
        self.head_dense = nn.Linear(size.width, size.width)
        self.head_output = nn.Linear(size.width, 1)
        for parameter in self.parameters():
            if parameter.ndim > 1:
                nn.init.trunc_normal_(parameter, std=0.02, a=-0.04, b=0.04)

    def encoder(self, embedding, width, heads, layers, feed):
        """Layers of this width, after a projection of the embeddings if they have another width."""
        projection = [] if width == embedding else [nn.Linear(embedding, width)]
        return nn.Sequential(
            *projection, *(Layer(width, heads, feed, self.dropout) for _ in range(layers)))

    def embed(self, ids):
        """Embeddings of ids. (B, T) to (B, T, E)"""
        summed = self.word(ids) + self.position.weight[:ids.shape[1]] + self.segment.weight[0]
        return self.dropout.drop(self.norm(summed))

    def generate(self, ids, masked_ids, positions):
        """The generator's loss, a scalar, and its samples at the masked positions, (M)."""
        hidden = self.generator(self.embed(masked_ids)).flatten(0, 1).index_select(0, positions)
        hidden = self.mlm_norm(F.gelu(self.mlm_dense(hidden)))
        logits = F.linear(hidden, self.word.weight, self.mlm_bias).float()
        uniform = torch.rand(len(positions), 1, generator=self.random)
        return SampledCrossEntropy.apply(logits, ids.flatten()[positions], uniform)

    def forward(self, ids, masked_ids, positions):
        """The loss of ids (B, T), of the same with masks (B, T), and the masked positions (M)."""
        generator_loss, samples = self.generate(ids, masked_ids, positions)
        corrupted = ids.flatten().index_copy(0, positions, samples).view_as(ids)
        hidden = F.gelu(self.head_dense(self.discriminator(self.embed(corrupted))))
        logits = self.head_output(hidden).squeeze(-1).float()
        replaced = (corrupted != ids).float()
        return generator_loss + 50 * F.binary_cross_entropy_with_logits(logits, replaced)
