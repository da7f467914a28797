"""What is recorded is what was computed."""

import pytest
import torch

from engine.cells import loop

# How each cell's new state follows from its recorded gates and the state before, in words of the catalogue.
UPDATES = {
    "rnn": ("hidden", lambda g, past: g["candidate"]),
    "gru-simplified": ("hidden", lambda g, past: g["update"] * g["candidate"] + (1 - g["update"]) * past),
    "gru-reset-before": ("hidden", lambda g, past: g["update"] * g["candidate"] + (1 - g["update"]) * past),
    "gru": ("hidden", lambda g, past: g["update"] * g["candidate"] + (1 - g["update"]) * past),
    "lstm": ("cell", lambda g, past: g["forget"] * past + g["update"] * g["candidate"]),
    "lstm-course": ("cell", lambda g, past: g["forget"] * past + g["update"] * g["candidate"]),
    "lstm-peephole": ("cell", lambda g, past: g["forget"] * past + g["update"] * g["candidate"]),
    "lstm-coupled": ("cell", lambda g, past: g["forget"] * past + g["update"] * g["candidate"]),
}


def record(layer):
    return loop.record(layer.cell, layer.inputs, layer.state, layer.parameters)


def test_recorded_gates_satisfy_the_state_update(layer, variant):
    ours = layer(*variant)
    recording = record(ours)
    state_name, update = UPDATES[variant[0]]
    states = recording[state_name]
    first = ours.state[ours.cell.state_names.index(state_name)]
    past = torch.cat((first.unsqueeze(0), states[:-1]))  # (time, batch, units)
    torch.testing.assert_close(states, update(recording, past), rtol=0, atol=1e-12)


def test_recorded_gates_are_those_the_cell_names_and_stay_in_their_range(layer, variant):
    ours = layer(*variant)
    recording = record(ours)
    assert set(recording.steps) == set(ours.cell.state_names) | {gate.name for gate in ours.cell.gates}
    for gate in ours.cell.gates:
        values = recording[gate.name]
        assert values.shape == (len(ours.inputs), *ours.state[0].shape)
        assert gate.low <= values.min()
        assert values.max() <= gate.high


def test_recording_ends_where_the_run_ends(layer, variant):
    ours = layer(*variant)
    recording, (outputs, *state) = record(ours), ours.run("plain")
    assert torch.equal(recording["hidden"], outputs)
    assert all(map(torch.equal, recording.final, state))


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
