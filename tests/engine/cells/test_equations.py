"""Each cell against its equations, written out once more, in numpy, one sequence and one block at a time."""

import numpy as np
import pytest
import torch

from engine.cells.kernels import supports

ACTIVATIONS = {
    "tanh": np.tanh,
    "relu": lambda x: np.maximum(x, 0),
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "identity": lambda x: x,
}
sigmoid, tanh = ACTIVATIONS["sigmoid"], np.tanh


class Weights:
    """Looks up a block of the weights by its place: `w.x(1)`, `w.h(1)`, `w.b(1)`."""

    def __init__(self, layer):
        self.units = layer.cell.units
        self.values = {name: value.detach().numpy() for name, value in layer.parameters.items()}

    def sum(self, block, x, h):
        """W x + U h + b of one block of rows."""
        rows = slice(block * self.units, (block + 1) * self.units)
        bias = self.values["bias"][rows] if "bias" in self.values else 0
        return self.values["weight_ih"][rows] @ x + self.values["weight_hh"][rows] @ h + bias

    def on_input(self, block, x):
        """W x + b of one block of rows."""
        rows = slice(block * self.units, (block + 1) * self.units)
        return self.values["weight_ih"][rows] @ x + (self.values["bias"][rows] if "bias" in self.values else 0)

    def peephole(self, name):
        return self.values.get(f"peephole_{name}", 0)


def rnn(w, x, h, c, options):
    return ACTIVATIONS[options["activation"]](w.sum(0, x, h)), None


def clockwork(w, x, h, clock, options):
    count = min(w.units, int(options["modules"]))
    new = h.copy()
    for i in range(count):  # the fastest first
        units = [unit for unit in range(w.units) if unit * count // w.units == i]
        if clock % 2**i == 0:
            read = np.where(np.arange(w.units) >= units[0], h, 0)  # itself and the slower ones
            new[units] = tanh(w.sum(0, x, read))[units]
    return new, (clock + 1) % 2 ** (count - 1)


def gru(w, x, h, c, options):
    zero = np.zeros_like(x)
    reset, keep = sigmoid(w.sum(0, x, h)), sigmoid(w.sum(1, x, h))
    recurrent = w.sum(2, zero, h) - w.sum(2, zero, 0 * h) + w.values.get("bias_candidate", 0)
    candidate = tanh(w.sum(2, x, 0 * h) + reset * recurrent)
    return (1 - keep) * candidate + keep * h, None


def simplified_gru(w, x, h, c, options):
    update, candidate = sigmoid(w.sum(0, x, h)), tanh(w.sum(1, x, h))
    return update * candidate + (1 - update) * h, None


def reset_before_gru(w, x, h, c, options):
    update, reset = sigmoid(w.sum(0, x, h)), sigmoid(w.sum(1, x, h))
    candidate = tanh(w.sum(2, x, reset * h))
    return update * candidate + (1 - update) * h, None


def lstm(w, x, h, c, options):
    update, forget, output = (sigmoid(w.sum(block, x, h)) for block in (0, 1, 3))
    new = forget * c + update * tanh(w.sum(2, x, h))
    return output * tanh(new), new


def course_lstm(w, x, h, c, options):
    update, forget, output = (sigmoid(w.sum(block, x, h)) for block in (0, 1, 3))
    seen = sigmoid(w.sum(4, x, h)) * h if options["relevance_gate"] else h
    new = forget * c + update * tanh(w.sum(2, x, seen))
    return output * (tanh(new) if options["output_tanh"] else new), new


def peephole_lstm(w, x, h, c, options):
    update = sigmoid(w.sum(0, x, h) + w.peephole("update") * c)
    forget = sigmoid(w.sum(1, x, h) + w.peephole("forget") * c)
    new = forget * c + update * tanh(w.sum(2, x, h))
    seen = new if options["output_sees"] == "new" else c
    return sigmoid(w.sum(3, x, h) + w.peephole("output") * seen) * tanh(new), new


def coupled_lstm(w, x, h, c, options):
    forget, candidate, output = sigmoid(w.sum(0, x, h)), tanh(w.sum(1, x, h)), sigmoid(w.sum(2, x, h))
    new = forget * c + (1 - forget) * candidate
    return output * tanh(new), new


def depth_gated_lstm(w, x, h, c, options):
    update, forget, output = (sigmoid(w.sum(block, x, h)) for block in (0, 1, 3))
    depth = sigmoid(w.on_input(4, x) + w.peephole("depth") * c + w.peephole("below") * w.below)
    new = forget * c + update * tanh(w.sum(2, x, h)) + depth * w.below
    return output * tanh(new), new


EQUATIONS = {
    "rnn": rnn,
    "rnn-clockwork": clockwork,
    "gru-simplified": simplified_gru,
    "gru-reset-before": reset_before_gru,
    "gru": gru,
    "lstm": lstm,
    "lstm-course": course_lstm,
    "lstm-peephole": peephole_lstm,
    "lstm-coupled": coupled_lstm,
    "lstm-depth-gated": depth_gated_lstm,
}


def kernels_of(layer):
    """Our own that run the layer's cell."""
    return [kernel for kernel in ("packed", "plain") if supports(layer.cell, kernel)]


@pytest.mark.parametrize("bias", [True, False], ids=["bias", "no bias"])
def test_computes_its_equations(layer, variant, bias, case):
    name, options = variant
    ours = layer(name, options, bias=bias)
    for kernel in kernels_of(ours):
        with case(kernel):
            assert_by_the_equations(ours, name, options, ours.run(kernel))


def assert_by_the_equations(ours, name, options, results):
    """Outputs and last states, a vector at a time."""
    outputs, *state = (result.detach().numpy() for result in results)
    weights = Weights(ours)
    for stream in range(outputs.shape[1]):
        h, *rest = (part[stream].detach().numpy() for part in ours.state)
        c = rest[0] if rest else None
        for t, (x, output) in enumerate(zip(ours.inputs[:, stream].detach().numpy(), outputs[:, stream], strict=True)):
            weights.below = None if ours.below is None else ours.below[t, stream].detach().numpy()
            h, c = EQUATIONS[name](weights, x, h, c, options)
            np.testing.assert_allclose(output, h, rtol=0, atol=1e-12)
        np.testing.assert_allclose(state[0][stream], h, rtol=0, atol=1e-12)
        if c is not None:
            np.testing.assert_allclose(state[1][stream], c, rtol=0, atol=1e-12)


def test_token_ids_stand_for_one_hot_vectors(layer, variant, case):
    by_id = layer(*variant, one_hot=True)
    vectors = torch.nn.functional.one_hot(by_id.inputs, by_id.parameters["weight_ih"].shape[1]).double()
    dense = by_id.with_inputs(vectors)
    for kernel in kernels_of(by_id):
        with case(kernel):
            torch.testing.assert_close(by_id.run(kernel), dense.run(kernel), rtol=0, atol=1e-12)
