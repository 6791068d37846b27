"""Replaces the products of a Hugging Face ELECTRA by products of factors rounded to bfloat16.

`round_products` does so. The sums keep the model's type, float64 in the fixtures. Factors are
rounded to nearest even where our definition says, forward and backward:

    y = r(x) r(W)^T + b,    dx = r(dy) r(W),    dW = r(dy)^T r(x),    db = sum of dy

for every linear layer but the discriminator's prediction, which has one output. Attention rounds
queries, keys and values after their bias, the probabilities, which the backward pass reads rounded,
the gradients of context and scores, and its results dq, dk and dv. A word embedding is rounded when
it is looked up; its gradient is not. Everything else is as in the model without rounding.
"""
import torch
from transformers.masking_utils import ALL_MASK_ATTENTION_FUNCTIONS, eager_mask
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS


# Deliberate errors that are more than a rounding left out.
BIAS_AFTER = "bias gradients summed after rounding"
EXACT_BACKWARD = "unrounded probabilities in the backward pass"


class Rounding:
    """Rounds a tensor to bfloat16 and keeps its type.

    Every rounding has a name, and `rounded` collects what was rounded under which name. `defect` is
    a deliberate error, for rounding-controls.py: the name of a rounding to leave out, or one of the
    errors above.
    """

    def __init__(self, defect=None):
        self.defect = defect
        self.rounded = []  # (name, tensor before rounding)

    def __call__(self, value, name):
        self.rounded.append((name, value.detach().clone()))
        return value if name == self.defect else value.to(torch.bfloat16).to(value.dtype)


class RoundedLinear(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, weight, bias, rounding, name):
        x, weight = rounding(x, name + ", input"), rounding(weight, name + ", weight")
        ctx.save_for_backward(x, weight)
        ctx.rounding, ctx.name = rounding, name
        return x @ weight.T + bias

    @staticmethod
    def backward(ctx, gradient):
        x, weight = ctx.saved_tensors
        rounded = ctx.rounding(gradient, ctx.name + ", gradient")
        summed = rounded if ctx.rounding.defect == BIAS_AFTER else gradient
        weight_gradient = rounded.flatten(0, -2).T @ x.flatten(0, -2)
        return rounded @ weight, weight_gradient, summed.flatten(0, -2).sum(0), None, None


class RoundedAttention(torch.autograd.Function):
    """softmax(scale q k^T + mask) v; q, k and v are (batch, heads, length, width)."""

    @staticmethod
    def forward(ctx, query, key, value, mask, scale, rounding):
        query, key, value = (rounding(x, "queries, keys, values") for x in (query, key, value))
        exact = torch.softmax(scale * (query @ key.mT) + mask, -1)
        probabilities = rounding(exact, "probabilities")
        kept = exact if rounding.defect == EXACT_BACKWARD else probabilities
        ctx.save_for_backward(query, key, value, kept)
        ctx.scale, ctx.rounding = scale, rounding
        return probabilities @ value

    @staticmethod
    def backward(ctx, gradient):
        query, key, value, probabilities = ctx.saved_tensors
        rounding, scale = ctx.rounding, ctx.scale
        gradient = rounding(gradient, "context, gradient")
        value_gradient = rounding(probabilities.mT @ gradient, "gradients of q, k, v")
        scores = probabilities * (gradient @ value.mT)
        scores = scores - probabilities * scores.sum(-1, keepdim=True)
        scores = rounding(scores, "scores, gradient")
        query_gradient = rounding(scale * (scores @ key), "gradients of q, k, v")
        key_gradient = rounding(scale * (scores.mT @ query), "gradients of q, k, v")
        return query_gradient, key_gradient, value_gradient, None, None, None


class RoundedWords(torch.autograd.Function):
    """Rounds the table of word embeddings for a look-up; the gradient is the table's."""

    @staticmethod
    def forward(ctx, table, rounding):
        return rounding(table, "word look-ups")

    @staticmethod
    def backward(ctx, gradient):
        return gradient, None


def attention_with(rounding):
    """The function that Hugging Face's self-attention calls."""
    def attend(module, query, key, value, attention_mask, scaling=None, dropout=0.0, **_):
        assert dropout == 0, "the fixtures have no dropout"
        mask = 0 if attention_mask is None else attention_mask
        context = RoundedAttention.apply(query, key, value, mask, scaling, rounding)
        return context.transpose(1, 2).contiguous(), None
    return attend


def round_products(models, rounding):
    """Replaces the products of `models`, which may share modules."""
    ALL_ATTENTION_FUNCTIONS.register("bfloat16", attention_with(rounding))
    ALL_MASK_ATTENTION_FUNCTIONS.register("bfloat16", eager_mask)
    for model in models:
        model.config._attn_implementation = "bfloat16"
        for name, module in model.named_modules():
            if isinstance(module, torch.nn.Linear) and module.out_features > 1:
                parts = [part for part in name.split(".") if part != "electra"]
                label = ".".join(parts[3:] if parts[0] == "encoder" else parts)
                module.forward = lambda x, m=module, n=label: RoundedLinear.apply(
                    x, m.weight, m.bias, rounding, n)
            elif name.endswith("word_embeddings"):
                module.forward = lambda ids, m=module: torch.nn.functional.embedding(
                    ids, RoundedWords.apply(m.weight, rounding))
