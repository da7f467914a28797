"""Matrix products on CPU by oneDNN where PyTorch was built with it, by `torch.mm` elsewhere.

oneDNN's product of two float32 matrices is 1.5 to 2 times as fast as `torch.mm` on AMD machines and no slower
on others, but PyTorch reaches it only through operators of its own compiler. Those are private, so nothing
here relies on them: they are tried once, and `torch.mm` does the work where they are missing.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial

import torch
from torch import Tensor

Product = Callable[[Tensor], Tensor]

SMALLEST_PACKED = 128 * 128 + 1  # elements of a weight; below, a call of oneDNN costs more than it saves
FEWEST_PACKED = 8  # products; packing a weight takes as long as two to five of them


@cache
def onednn_works() -> bool:
    """Whether oneDNN's matrix product is there and right, tried once on a small one."""
    if not torch.backends.mkldnn.is_available():
        return False
    left, right = torch.arange(6.0).view(2, 3), torch.arange(12.0).view(4, 3)
    try:
        packed = torch.ops.mkldnn._reorder_linear_weight(right, 2)
        result = torch.ops.mkldnn._linear_pointwise(left, packed, None, "none", [], "")
    except (AttributeError, RuntimeError):  # the operator has gone, or refuses this machine
        return False
    return torch.equal(result, left @ right.T)


def times_transposed(left: Tensor, right: Tensor) -> Tensor:
    """`left @ right.T`, (n, k) by (m, k) -> (n, m)."""
    if _suits_onednn(left):
        return torch.ops.mkldnn._linear_pointwise.default(left, right, None, "none", [], "")
    return torch.mm(left, right.T)


def product_with(weight: Tensor, batch: int, times: int) -> Product:
    """The function `x -> x @ weight.T`, made ready to be called `times` times on (batch, columns).

    What it returns is a fresh tensor, (batch, rows), free to be changed in place.
    """
    if _suits_onednn(weight) and weight.numel() >= SMALLEST_PACKED and times >= FEWEST_PACKED:
        return partial(_packed_product, torch.ops.mkldnn._reorder_linear_weight(weight.contiguous(), batch))
    return partial(torch.mm, mat2=weight.T)


def columns(*sequences: Tensor) -> Tensor:
    """Sequences (..., n) laid out the other way, (n, all leading axes), one above the other.

    So a sum over all timesteps and streams becomes a product of two such: see `times_transposed`.
    """
    heights = [sequence.shape[-1] for sequence in sequences]
    result = sequences[0].new_empty(sum(heights), sequences[0].shape[:-1].numel())
    for rows, sequence in zip(result.split(heights), sequences, strict=True):
        rows.copy_(sequence.flatten(0, -2).T)
    return result


def linear(inputs: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """`torch.nn.functional.linear` by the products above, without a gradient; (..., columns) -> (..., rows)."""
    flat = inputs.flatten(0, -2)
    if _suits_onednn(flat):
        products = torch.ops.mkldnn._linear_pointwise.default(flat, weight, bias, "none", [], "")
    else:
        products = torch.mm(flat, weight.T) if bias is None else torch.addmm(bias, flat, weight.T)
    return products.view(*inputs.shape[:-1], len(weight))


def _suits_onednn(matrix: Tensor) -> bool:
    suits = matrix.dtype is torch.float32 and matrix.device.type == "cpu" and matrix.numel() > 0
    return suits and bool(torch.backends.mkldnn.enabled) and onednn_works()


def _packed_product(packed: Tensor, inputs: Tensor) -> Tensor:
    return torch.ops.mkldnn._linear_pointwise.default(inputs, packed, None, "none", [], "")
