"""The clockwork network's passes."""

from __future__ import annotations

import torch
from torch import Tensor

from engine.cells.cell import Parameters, State
from engine.cells.clockwork import ClockworkRNN
from engine.cells.packed.functions import tanh_, times_tanh_slope
from engine.cells.packed.gru import SimplifiedGRUPasses
from engine.cells.packed.passes import Gradients, RecurrentRows, Tape, before, timesteps
from engine.cells.products import product_with


class ClockworkRNNPasses(SimplifiedGRUPasses):
    """c̃ = tanh(a),  h_t = u ⊙ c̃ + (1 - u) ⊙ h_{t-1}, with a = W_x x_t + b + W_h h_{t-1} and u known beforehand.

    Backwards, with d = dL/dh_t:
        dL/da = d ⊙ u ⊙ tanh'(a)
        dL/dh_{t-1} = d ⊙ (1 - u) + W_hᵀ dL/da
    """

    cell: ClockworkRNN

    def forward(self, tape: Tape, parameters: Parameters) -> None:
        candidates, clock = tape["gates"], tape["clock"]
        time, batch, _ = candidates.shape
        passed = torch.arange(time + 1).to(clock).view(-1, 1, 1)
        torch.remainder(clock[0] + passed, self.cell.clock_size, out=clock)
        tape["update"] = self.cell.turns(before(clock))  # (time, batch, units)
        product = product_with(parameters["weight_hh"], batch, time)
        moments = {"candidate": candidates, "update": tape["update"]}
        for now in timesteps(moments, hidden=tape["hidden"]):
            candidate = tanh_(now.candidate.add_(product(now.past_hidden)))
            torch.lerp(now.past_hidden, candidate, now.update, out=now.hidden)

    def backward(self, tape: Tape, parameters: Parameters, d_outputs: Tensor, d_state: State) -> Gradients:
        candidates, update = tape["gates"], tape["update"]
        d_candidates = times_tanh_slope(update, candidates, out=torch.empty_like(candidates))
        _, d_first = self.through_time(d_candidates, 1 - update, d_outputs, d_state[:1], parameters["weight_hh"])
        d_clock = torch.zeros_like(tape["clock"][0])
        return Gradients(d_candidates, (d_first, d_clock), (RecurrentRows(self.units, before(tape["hidden"])),))
