"""PyTorch's own layers with the same weights: outputs, last states and every gradient."""

import pytest
import torch
from torch import nn

from engine.cells.kernels import KERNELS, supports

NO_PEEPHOLES = {"peephole_update": False, "peephole_forget": False, "peephole_output": False}
TWINS = [
    ("rnn", {"activation": "tanh"}, lambda i, h, bias: nn.RNN(i, h, bias=bias)),
    ("rnn", {"activation": "relu"}, lambda i, h, bias: nn.RNN(i, h, bias=bias, nonlinearity="relu")),
    ("gru", {}, lambda i, h, bias: nn.GRU(i, h, bias=bias)),
    ("lstm", {}, lambda i, h, bias: nn.LSTM(i, h, bias=bias)),
    ("lstm-course", {"relevance_gate": False, "output_tanh": True}, lambda i, h, bias: nn.LSTM(i, h, bias=bias)),
    ("lstm-peephole", NO_PEEPHOLES, lambda i, h, bias: nn.LSTM(i, h, bias=bias)),
]
TOLERANCE = {torch.float32: 1e-5, torch.float64: 1e-10}


def with_weights_of(module, layer):
    """The module with the layer's weights; PyTorch's second bias is zero but for the GRU's candidate."""
    module = module.to(layer.state[0].dtype)
    with torch.no_grad():
        module.weight_ih_l0.copy_(layer.parameters["weight_ih"])
        module.weight_hh_l0.copy_(layer.parameters["weight_hh"])
        if "bias" in layer.parameters:
            module.bias_ih_l0.copy_(layer.parameters["bias"])
            module.bias_hh_l0.zero_()
        if "bias_candidate" in layer.parameters:
            module.bias_hh_l0[2 * layer.cell.units :] = layer.parameters["bias_candidate"]
    return module


def gradients_of(module, layer, results):
    """In the order of `layer.leaves()`."""
    units = layer.cell.units
    names = {"weight_ih": "weight_ih_l0", "weight_hh": "weight_hh_l0", "bias": "bias_ih_l0"}
    others = [leaf for leaf in layer.leaves() if not any(leaf is own for own in layer.parameters.values())]
    weights = [getattr(module, names[key]) if key in names else module.bias_hh_l0 for key in layer.parameters]
    random = torch.Generator().manual_seed(1)
    loss = sum((result * torch.randn(result.shape, generator=random, dtype=result.dtype)).sum() for result in results)
    found = torch.autograd.grad(loss, weights + others)
    cut = [g[2 * units :] if key == "bias_candidate" else g for key, g in zip(layer.parameters, found, strict=False)]
    return cut + list(found[len(weights) :])


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=["float32", "float64"])
@pytest.mark.parametrize("bias", [True, False], ids=["bias", "no bias"])
@pytest.mark.parametrize(("name", "options", "build"), TWINS, ids=[f"{twin[0]} {twin[1]}" for twin in TWINS])
def test_equals_the_module_of_torch(layer, kernel, dtype, bias, name, options, build):
    ours = layer(name, options, dtype=dtype, bias=bias, timesteps=12, units=16, inputs=7)
    module = with_weights_of(build(7, 16, bias), ours)
    state = tuple(part.unsqueeze(0) for part in ours.state)
    outputs, after = module(ours.inputs, state if len(state) == 2 else state[0])
    theirs = [outputs, *(part.squeeze(0) for part in (after if isinstance(after, tuple) else (after,)))]

    assert supports(ours.cell, kernel)
    results = ours.run(kernel)
    torch.testing.assert_close(results, theirs, rtol=0, atol=TOLERANCE[dtype])
    torch.testing.assert_close(
        ours.gradients(results), gradients_of(module, ours, theirs), rtol=0, atol=TOLERANCE[dtype] * 10
    )


@pytest.mark.parametrize("kernel", ["packed", "plain"])
@pytest.mark.parametrize("output_sees", ["new", "old"])
def test_peepholes_at_zero_are_no_peepholes(layer, kernel, output_sees):
    ours = layer("lstm-peephole", {"output_sees": output_sees})
    for name, parameter in ours.parameters.items():
        if name.startswith("peephole"):
            parameter.data.zero_()
    module = with_weights_of(nn.LSTM(ours.inputs.shape[-1], ours.cell.units), ours)
    outputs, (hidden, cell) = module(ours.inputs, tuple(part.unsqueeze(0) for part in ours.state))
    torch.testing.assert_close(ours.run(kernel), [outputs, hidden[0], cell[0]], rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", ["rnn", "gru", "lstm"])
@pytest.mark.parametrize("grad", [True, False])
def test_fused_kernel_warns_of_nothing(layer, recwarn, name, grad):
    with torch.set_grad_enabled(grad):
        layer(name, {}).run("fused")
    assert not recwarn.list


def test_fused_kernel_refuses_a_cell_that_torch_does_not_have(layer):
    with pytest.raises(ValueError, match="lstm-coupled"):
        layer("lstm-coupled", {}).run("fused")
