"""All kernels compute the same, and their gradients are those of finite differences."""

import itertools
from functools import partial

import pytest
import torch

from engine.cells import CELLS, Cell, kernels, products, untapped
from engine.cells.cell import Gate
from engine.cells.kernels import KERNELS, choose, run_layer, supports
from engine.cells.packed import PASSES

PLAIN_ONLY: set[str] = set()
"""Cells without hand-written passes, which the plain loop runs. A new cell may begin here."""

PACKED = [name for name, cell in CELLS.items() if cell in PASSES]

FORMS = {
    "dense": {},
    "tokens, no bias": {"one_hot": True, "bias": False},
    "one timestep": {"timesteps": 1},
    "tokens, one stream": {"one_hot": True, "batch": 1},
    "one stream, no bias": {"batch": 1, "bias": False},
}


def assert_equal_to_plain(layer, kernel):
    """Outputs, last state and all gradients, to 1e-5 of the largest value in each."""
    results, expected = layer.run(kernel), layer.run("plain")
    pairs = zip(results + layer.gradients(results), expected + layer.gradients(expected), strict=True)
    for found, wanted in pairs:
        largest = max(1.0, wanted.abs().max().item())
        torch.testing.assert_close(found / largest, wanted / largest, rtol=0, atol=1e-5)


def test_every_cell_has_passes_but_those_that_are_known_to_have_none():
    assert set(CELLS) - set(PACKED) == PLAIN_ONLY


def need_passes(variant):
    """Skips a test of what is written by hand, where there is nothing for this cell."""
    if variant[0] in PLAIN_ONLY:
        pytest.skip(f"{variant[0]} is run by the plain loop alone")


@pytest.mark.parametrize("kernel", ["packed", "plain"])
def test_gradients_are_those_of_finite_differences(layer, variant, kernel, case):
    if kernel == "packed":
        need_passes(variant)
    for form in ("dense", "tokens, no bias", "one timestep"):
        with case(form):
            ours = layer(*variant, **{"timesteps": 3, "batch": 2, "units": 2, "inputs": 3} | FORMS[form])
            if "relu" in variant[1].values():  # away from the kink
                for parameter in (*ours.parameters.values(), *ours.state, *ours.leaves()[-1:]):
                    parameter.data.abs_().add_(0.1)
            results = partial(lambda layer, *_: tuple(layer.run(kernel)), ours)
            assert torch.autograd.gradcheck(results, tuple(ours.leaves()), fast_mode=True)


def test_kernels_agree_in_float32(layer, variant, case):
    for form, settings in FORMS.items():
        ours = layer(*variant, dtype=torch.float32, **settings)
        for kernel in KERNELS:
            if kernel != "plain" and supports(ours.cell, kernel):
                with case(form, kernel):
                    assert_equal_to_plain(ours, kernel)


@pytest.mark.parametrize("route", ["oneDNN", "torch.mm", "switched off"])
def test_packed_products_and_their_fall_back_agree(layer, variant, monkeypatch, route):
    need_passes(variant)
    monkeypatch.setattr(products, "SMALLEST_PACKED", 0)
    if route == "oneDNN" and not products.onednn_works():
        pytest.skip("PyTorch was built without oneDNN")
    if route == "torch.mm":
        monkeypatch.setattr(products, "onednn_works", lambda: False)
    monkeypatch.setattr(torch.backends.mkldnn, "enabled", route != "switched off")
    assert_equal_to_plain(layer(*variant, dtype=torch.float32, timesteps=12, units=16, inputs=7), "packed")


@pytest.mark.parametrize("name", PACKED)
def test_packed_agrees_at_a_size_that_people_use(layer, name):
    assert_equal_to_plain(layer(name, {}, dtype=torch.float32, timesteps=32, batch=8, units=136, inputs=40), "packed")


@pytest.mark.parametrize("error", [AttributeError, RuntimeError])
def test_does_without_operators_that_have_gone(monkeypatch, error):
    def gone(*_):
        raise error("no such operator")

    monkeypatch.setattr(torch.ops.mkldnn, "_reorder_linear_weight", gone)
    assert not products.onednn_works.__wrapped__()


def test_does_without_operators_that_answer_wrongly(monkeypatch):
    monkeypatch.setattr(torch.ops.mkldnn, "_linear_pointwise", lambda *_: torch.zeros(2, 4))
    assert not products.onednn_works.__wrapped__()


@pytest.mark.parametrize("name", PACKED)
@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
def test_packed_runs_without_gradients(layer, name, mode):
    ours = layer(name, {})
    before = ours.inputs.clone()
    with mode():
        results = ours.run("packed")
    assert not any(result.requires_grad for result in results)
    torch.testing.assert_close(results, ours.run("plain"), rtol=0, atol=1e-12)
    assert torch.equal(ours.inputs, before)


@pytest.mark.parametrize("name", PACKED)
def test_packed_may_be_differentiated_twice_over_the_same_graph(layer, name):
    ours = layer(name, {})
    loss = ours.run("packed")[0].square().sum()
    first = torch.autograd.grad(loss, ours.leaves(), retain_graph=True)
    assert all(map(torch.equal, first, torch.autograd.grad(loss, ours.leaves())))


@pytest.mark.parametrize("name", PACKED)
def test_gradients_cross_from_one_chunk_to_the_last(layer, name):
    ours = layer(name, {}, timesteps=6)

    def in_two_chunks(kernel):
        first = ours.piece(0, 3, ours.state).run(kernel)
        second = ours.piece(3, 6, tuple(first[1 : 1 + len(ours.state)])).run(kernel)
        rest = slice(1 + len(ours.state), None)  # further states over time
        whole = [torch.cat(pair) for pair in zip(first[rest], second[rest], strict=True)]
        return [torch.cat((first[0], second[0])), *second[1 : 1 + len(ours.state)], *whole]

    results, expected = in_two_chunks("packed"), ours.run("packed")
    torch.testing.assert_close(results, expected, rtol=0, atol=1e-12)
    torch.testing.assert_close(ours.gradients(results), ours.gradients(expected), rtol=0, atol=1e-12)


@pytest.mark.parametrize("result", [0, 1, 2], ids=["outputs", "last hidden state", "last cell state"])
@pytest.mark.parametrize("name", ["lstm-course", "lstm-depth-gated"])
def test_packed_takes_a_loss_on_any_one_result(layer, name, result):
    ours = layer(name, {})
    found, expected = (ours.gradients([ours.run(kernel)[result]]) for kernel in ("packed", "plain"))
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-12)


def test_parameters_that_are_frozen_get_no_gradient(layer):
    ours = layer("gru", {})
    ours.parameters["weight_hh"].requires_grad_(False)
    ours.run("packed")[0].sum().backward()
    assert ours.parameters["weight_hh"].grad is None
    assert ours.parameters["weight_ih"].grad is not None


@pytest.mark.parametrize("one_hot", [True, False])
@pytest.mark.parametrize("name", PACKED)
def test_packed_keeps_its_precision_where_others_give_theirs_up(layer, name, one_hot):
    ours = layer(name, {}, dtype=torch.float32, one_hot=one_hot)
    with torch.autocast("cpu", torch.bfloat16):
        results = ours.run("packed")
    expected = ours.run("plain")
    torch.testing.assert_close(results, expected, rtol=0, atol=1e-5)
    torch.testing.assert_close(ours.gradients(results), ours.gradients(expected), rtol=0, atol=1e-4)


@pytest.mark.parametrize("name", PACKED)
def test_one_timestep_of_a_sample_takes_no_preparation(layer, name, monkeypatch):
    monkeypatch.setitem(kernels._RUN, "packed", None)
    monkeypatch.setitem(kernels._RUN_LINKED, "packed", None)
    ours = layer(name, {}, timesteps=1)
    with torch.no_grad():
        assert ours.run("packed")[0].shape == (1, *ours.state[0].shape)


def test_choice_is_a_kernel_that_runs_the_cell(layer, variant):
    cell = layer(*variant).cell
    for device, one_hot in itertools.product(("cpu", "cuda", "mps"), (True, False)):
        assert supports(cell, choose(cell, device, one_hot=one_hot, inputs=64))


def test_a_cell_with_nothing_but_its_step_runs_plainly():
    class Leaky(Cell):
        """h_t = (h_{t-1} + a_t) / 2."""

        name, title, family, blocks = "leaky", "Leaky", "rnn", ("candidate",)
        gates = (Gate("candidate", -1.0, 1.0, "what is written"),)

        def step(self, projected, state, parameters, tap=untapped):
            return ((state[0] + tap("candidate", projected)) / 2,)

    cell = Leaky(1)
    kernel = choose(cell, "cpu", one_hot=False, inputs=1)
    weights = {"weight_ih": torch.ones(1, 1), "weight_hh": torch.zeros(1, 1)}
    outputs, _ = run_layer(cell, torch.ones(3, 1, 1), cell.initial_state(1, torch.ones(1)), weights, kernel)
    assert outputs.flatten().tolist() == [0.5, 0.75, 0.875]
    with pytest.raises(ValueError, match="'leaky' has no hand-written passes"):
        run_layer(cell, torch.ones(3, 1, 1), cell.initial_state(1, torch.ones(1)), weights, "packed")
