"""ELECTRA's pre-training model in PyTorch, written for speed.

Used by peers.py, which sets the number of threads before the import.

Shapes: B sequences, T positions, D the width of an encoder, E that of the embeddings, M masked positions in the batch.
"""
import torch
from torch import nn
from torch.nn import functional as F

LAYERS, VOCABULARY, POSITIONS, DROPOUT = 12, 30522, 512, 0.1
# An element is dropped if its random byte is below this bound, so its probability is a multiple of 1/256.
DROP_BELOW = round(DROPOUT * 256)


class DropoutBytes:
    """The random bytes of a step: all drawn at once, then used in order, one per element that dropout decides on."""

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


class Model(nn.Module):
    """Generator and discriminator with shared embeddings; its output is the pre-training loss, a scalar.

    `size` has the widths, heads and feed-forward widths of both encoders (SIZES in peers.py), `shape` is (B, T), and
    `random` the torch.Generator of the samples.
    """

    def __init__(self, size, shape, random):
        super().__init__()
        batch, length = shape
        encoders = ((size.width, size.heads), (size.generator_width, size.generator_heads))
        # Two embeddings of a step; in a layer the attention weights and two outputs.
        self.dropout = DropoutBytes(2 * batch * length * size.embedding + LAYERS * batch * length * sum(
            heads * length + 2 * width for width, heads in encoders))
        self.random = random
        e = size.embedding
        self.word, self.position = nn.Embedding(VOCABULARY, e), nn.Embedding(POSITIONS, e)
        self.segment = nn.Embedding(2, e)
        self.norm = nn.LayerNorm(e, eps=1e-12)
        self.generator = self.encoder(e, size.generator_width, size.generator_heads, size.generator_feed)
        self.discriminator = self.encoder(e, size.width, size.heads, size.feed)
        self.mlm_dense, self.mlm_norm = nn.Linear(size.generator_width, e), nn.LayerNorm(e, eps=1e-12)
        self.mlm_bias = nn.Parameter(torch.zeros(VOCABULARY))
        self.head_dense, self.head_output = nn.Linear(size.width, size.width), nn.Linear(size.width, 1)
        for parameter in self.parameters():
            if parameter.ndim > 1:
                nn.init.trunc_normal_(parameter, std=0.02, a=-0.04, b=0.04)

    def encoder(self, embedding, width, heads, feed):
        """Layers of this width, after a projection of the embeddings if they have another width."""
        projection = [] if width == embedding else [nn.Linear(embedding, width)]
        return nn.Sequential(*projection, *(Layer(width, heads, feed, self.dropout) for _ in range(LAYERS)))

    def embed(self, ids):
        """Embeddings of ids. (B, T) to (B, T, E)"""
        summed = self.word(ids) + self.position.weight[:ids.shape[1]] + self.segment.weight[0]
        return self.dropout.drop(self.norm(summed))

    def sample(self, log_probabilities):
        """One token of each row, by the inverse of its distribution function. (M, V) to (M)"""
        cumulative = log_probabilities.exp().cumsum(-1)
        uniform = torch.rand(len(cumulative), 1, generator=self.random) * cumulative[:, -1:]
        return torch.searchsorted(cumulative, uniform).squeeze(-1).clamp_(max=VOCABULARY - 1)

    def forward(self, ids, masked_ids, positions):
        """The loss of ids (B, T), of the same with masks (B, T), and the flat masked positions (M)."""
        hidden = self.generator(self.embed(masked_ids)).flatten(0, 1).index_select(0, positions)
        hidden = self.mlm_norm(F.gelu(self.mlm_dense(hidden)))
        log_probabilities = F.log_softmax(F.linear(hidden, self.word.weight, self.mlm_bias), -1)
        generator_loss = F.nll_loss(log_probabilities, ids.flatten().index_select(0, positions))
        with torch.no_grad():
            samples = self.sample(log_probabilities)
            corrupted = ids.flatten().index_copy(0, positions, samples).view_as(ids)
        logits = self.head_output(F.gelu(self.head_dense(self.discriminator(self.embed(corrupted))))).squeeze(-1)
        return generator_loss + 50 * F.binary_cross_entropy_with_logits(logits, (corrupted != ids).float())
