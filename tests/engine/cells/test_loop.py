"""What is recorded is what was computed."""

import pytest
import torch

from engine.cells import loop

# How each cell's new state follows from its recorded gates and the state before, in words of the catalogue.
UPDATES = {
    "rnn": ("hidden", lambda g, past: g["candidate"]),
    "rnn-clockwork": ("hidden", lambda g, past: torch.where(g["update"] == 1, g["candidate"], past)),
    "gru-simplified": ("hidden", lambda g, past: g["update"] * g["candidate"] + (1 - g["update"]) * past),
    "gru-reset-before": ("hidden", lambda g, past: g["update"] * g["candidate"] + (1 - g["update"]) * past),
    "gru": ("hidden", lambda g, past: g["update"] * g["candidate"] + (1 - g["update"]) * past),
    "lstm": ("cell", lambda g, past: g["forget"] * past + g["update"] * g["candidate"]),
    "lstm-course": ("cell", lambda g, past: g["forget"] * past + g["update"] * g["candidate"]),
    "lstm-peephole": ("cell", lambda g, past: g["forget"] * past + g["update"] * g["candidate"]),
    "lstm-coupled": ("cell", lambda g, past: g["forget"] * past + g["update"] * g["candidate"]),
    "lstm-depth-gated": ("cell", lambda g, past: g["forget"] * past + g["update"] * g["candidate"] + g["taken in"]),
}


def record(layer, replaced=None):
    return loop.record(layer.cell, layer.inputs, layer.state, layer.parameters, replaced, layer.below)


def test_recorded_gates_satisfy_the_state_update(layer, variant):
    ours = layer(*variant)
    recording = record(ours)
    state_name, update = UPDATES[variant[0]]
    states = recording[state_name]
    first = ours.state[ours.cell.state_names.index(state_name)]
    past = torch.cat((first.unsqueeze(0), states[:-1]))  # (time, batch, units)
    gates = {name: recording[name] for name in recording.steps}
    if ours.below is not None:
        gates["taken in"] = gates["depth"] * ours.below
    torch.testing.assert_close(states, update(gates, past), rtol=0, atol=1e-12)


def test_what_is_recorded_are_the_quantities_that_the_cell_names(layer, variant):
    ours = layer(*variant)
    recording, cell = record(ours), ours.cell
    gates, sums = {gate.name for gate in cell.gates}, {f"{block}_pre" for block in cell.blocks}
    assert set(recording.steps) == set(cell.quantities) == {*cell.state_names} | gates | sums
    assert len(cell.quantities) == len(set(cell.quantities))
    for name in recording.steps:
        assert recording[name].shape == (len(ours.inputs), *ours.state[0].shape)


def test_recorded_gates_stay_in_their_range(layer, variant):
    ours = layer(*variant)
    recording = record(ours)
    for gate in ours.cell.gates:
        assert gate.low <= recording[gate.name].min()
        assert recording[gate.name].max() <= gate.high


def test_each_gate_is_its_weighted_sum_through_its_activation_function(layer, variant):
    ours = layer(*variant)
    recording = record(ours)
    activation = {"relu": torch.relu, "sigmoid": torch.sigmoid, "identity": torch.clone}
    for block in ours.cell.blocks:
        before = recording[f"{block}_pre"]
        if block == "candidate":
            after = activation.get(variant[1].get("activation"), torch.tanh)(before)
        else:
            after = before.sigmoid()
        expected = 1 - recording["update"] if block == "keep" else recording[block]
        torch.testing.assert_close(after, expected, rtol=0, atol=1e-12)


def test_a_step_hands_each_quantity_to_its_tap_once_and_goes_on_with_what_it_gets_back(layer, variant):
    ours = layer(*variant)
    projected, parameters = ours.inputs[0] @ ours.parameters["weight_ih"].T, ours.parameters
    plain = ours.cell.step(projected, ours.before(0), parameters)
    for chosen in ours.cell.quantities:
        seen = []

        def tap(name, value, chosen=chosen, seen=seen):
            seen.append(name)
            return value + 0.25 if name == chosen else value

        after = ours.cell.step(projected, ours.before(0), parameters, tap)
        assert sorted(seen) == sorted(ours.cell.quantities)
        assert not torch.equal(after[0], plain[0])
        if chosen in ours.cell.state_names:
            place = ours.cell.state_names.index(chosen)
            torch.testing.assert_close(after[place], plain[place] + 0.25)


def test_replacements_are_constants_for_every_stream(layer):
    ours = layer("lstm", {})
    replaced = {("forget", 2): {0: 0.5, 3: 0.75}, ("cell", 4): {1: -1.0}}
    recording = loop.record(ours.cell, ours.inputs, ours.state, ours.parameters, replaced)
    plain = record(ours)
    assert (recording["forget"][2, :, [0, 3]] == torch.tensor([0.5, 0.75])).all()
    assert (recording["cell"][4, :, 1] == -1).all()
    assert torch.equal(recording["forget"][2, :, 1], plain["forget"][2, :, 1])
    assert torch.equal(recording["hidden"][:2], plain["hidden"][:2])
    gradients = torch.autograd.grad(recording.final[1].sum(), recording.steps["forget_pre"])
    assert not gradients[2][:, [0, 3]].any()
    assert gradients[2][:, 1].all()


def test_recording_ends_where_the_run_ends(layer, variant):
    ours = layer(*variant)
    recording, (outputs, *state) = record(ours), ours.run("plain")
    assert torch.equal(recording["hidden"], outputs)
    assert all(torch.equal(one, other) for one, other in zip(recording.final, state, strict=False))


@pytest.mark.parametrize("name", ["rnn", "gru", "gru-reset-before"])
def test_recorded_steps_have_gradients_of_their_own(layer, name):
    ours = layer(name, {})
    recording = record(ours)
    gradients = torch.autograd.grad(recording.final[0].sum(), recording.steps["hidden"])  # dL/dh_t for every t

    earlier, last = recording.steps["hidden"][-2].detach().requires_grad_(), ours.inputs[-1:]
    again = loop.record(ours.cell, last, (earlier,), ours.parameters)
    (expected,) = torch.autograd.grad(again.final[0].sum(), earlier)
    torch.testing.assert_close(gradients[-2], expected)
    assert torch.equal(gradients[-1], torch.ones_like(gradients[-1]))
