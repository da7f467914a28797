"""The passes of layers that are linked through their cell states: the depth-gated LSTM's, and the LSTM's below it."""

from __future__ import annotations

import torch
from torch import Tensor

from engine.cells.cell import Cell, Parameters, State
from engine.cells.packed.functions import tanh_, times_sigmoid_slope
from engine.cells.packed.lstm import LSTMPasses
from engine.cells.packed.passes import Gradients, Moment, RecurrentRows, Tape, before
from engine.cells.products import Product


class GivingLSTMPasses(LSTMPasses):
    """The LSTM's, whose c_t goes to the layer above as well: e has one share more, which comes back from there."""

    gives = ("hidden", "cell")

    def backward(self, tape: Tape, parameters: Parameters, d_outputs: Tensor, d_state: State) -> Gradients:
        _, d_cell = d_state
        d_cell.add_(tape["d_cell"][-1])
        return super().backward(tape, parameters, d_outputs, d_state)

    def factors(self, tape: Tape, parameters: Parameters, out: Tape) -> Tape:
        d_cell = tape["d_cell"]
        d_earlier = torch.cat((torch.zeros_like(d_cell[:1]), d_cell[:-1]))  # at t what came back to c_{t-1}
        return super().factors(tape, parameters, out) | {"d_past_cell": d_earlier}

    def carry_back(self, now: Moment, d_cell: Tensor, parameters: Parameters) -> None:
        super().carry_back(now, d_cell, parameters)
        d_cell.add_(now.d_past_cell)


class DepthGatedLSTMPasses(GivingLSTMPasses):
    """a_d = W_d x_t + b_d + w_c ⊙ c_{t-1} + w_l ⊙ v_t,  d = σ(a_d),  c_t = f ⊙ c_{t-1} + i ⊙ g + d ⊙ v_t, with v_t the
    cell state of the layer below.

    Backwards:
        dL/da_d = e ⊙ v_t ⊙ σ'(a_d)
        dL/dc_{t-1} = e ⊙ f + dL/da_d ⊙ w_c
        dL/dv_t = e ⊙ d + dL/da_d ⊙ w_l
    """

    def __init__(self, cell: Cell) -> None:
        super().__init__(cell)
        self.order = (*self.order, "depth")  # last, as it has no rows in the recurrent weights

    def forward(self, tape: Tape, parameters: Parameters) -> None:
        depth = self.blocks(tape["gates"])["depth"]
        depth.addcmul_(tape["below"], parameters["peephole_below"])
        super().forward(tape, parameters)

    def backward(self, tape: Tape, parameters: Parameters, d_outputs: Tensor, d_state: State) -> Gradients:
        tape["d_total"] = torch.empty_like(d_outputs, memory_format=torch.contiguous_format)  # e
        found = super().backward(tape, parameters, d_outputs, d_state)
        depth, d_depth = self.blocks(tape["gates"])["depth"], self.blocks(found.projected)["depth"]
        d_below = (tape["d_total"] * depth).addcmul_(d_depth, parameters["peephole_below"])
        return Gradients(found.projected, found.state, found.recurrent_rows, found.parameters, d_below)

    # Forwards, one timestep.

    def prepare(self, tape: Tape) -> None:
        super().prepare(tape)
        tape["seen"] = tape["below"]

    def add_recurrent(self, now: Moment, products: tuple[Product, ...]) -> None:
        (product,) = products
        now.gates[:, : -self.units].add_(product(now.past_hidden))

    def write(self, now: Moment, parameters: Parameters) -> None:
        now.gates[:, : 3 * self.units].sigmoid_()  # output, update, forget
        tanh_(now.candidate)
        now.depth.addcmul_(now.past_cell, parameters["peephole_depth"]).sigmoid_()
        torch.mul(now.forget, now.past_cell, out=now.cell).addcmul_(now.update, now.candidate)
        now.cell.addcmul_(now.depth, now.seen)

    # Backwards.

    def factors(self, tape: Tape, parameters: Parameters, out: Tape) -> Tape:
        between = super().factors(tape, parameters, out)
        times_sigmoid_slope(tape["below"], self.blocks(tape["gates"])["depth"], out=out["depth"])
        between["carries"] = torch.addcmul(between["carries"], out["depth"], parameters["peephole_depth"])
        return between | {"d_total": tape["d_total"]}

    def carry_back(self, now: Moment, d_cell: Tensor, parameters: Parameters) -> None:
        now.d_total.copy_(d_cell)
        super().carry_back(now, d_cell, parameters)

    def recurrent_backward(self, now: Moment, products: tuple[Product, ...]) -> Tensor:
        (product,) = products
        return product(now.d_gates[:, : -self.units])

    def recurrent_rows(self, tape: Tape) -> tuple[RecurrentRows, ...]:
        return (RecurrentRows(4 * self.units, before(tape["hidden"])),)

    def further_gradients(self, tape: Tape, parameters: Parameters, d_gates: Tensor) -> dict[str, Tensor]:
        d_depth = self.blocks(d_gates)["depth"]
        seen = {"peephole_depth": before(tape["cell"]), "peephole_below": tape["below"]}
        return {name: (d_depth * values).sum((0, 1)) for name, values in seen.items()}
