"""The long short-term memories' passes.

All end in h_t = o ⊙ s(c_t), with s = tanh or, in the course's form, the identity. Let d = dL/dh_t, and let
e = dL/dc_t be summed over c_t's ways to the loss. All begin their way back with
    dL/da_o = d ⊙ s(c_t) ⊙ σ'(a_o),  e = d ⊙ o ⊙ s'(c_t) + what comes back from c_{t+1},
and every other gate's gradient is a factor times e.
"""

from __future__ import annotations

import torch
from torch import Tensor

from engine.cells.cell import Cell, Parameters, State
from engine.cells.lstm import CourseLSTM, PeepholeLSTM
from engine.cells.packed.functions import tanh, tanh_, times_sigmoid_slope, times_tanh_slope
from engine.cells.packed.passes import (
    Gradients,
    Moment,
    Passes,
    RecurrentRows,
    Tape,
    after,
    before,
    timesteps,
    timesteps_back,
)
from engine.cells.products import Product, product_with


class LSTMPasses(Passes):
    """i, f, o = σ(a_{i,f,o}),  g = tanh(a_g),  c_t = f ⊙ c_{t-1} + i ⊙ g,  with a = W x_t + b + U h_{t-1}.

    Backwards, with d and e as above:
        dL/da_i = e ⊙ g ⊙ σ'(a_i)
        dL/da_f = e ⊙ c_{t-1} ⊙ σ'(a_f)
        dL/da_g = e ⊙ i ⊙ tanh'(a_g)
        dL/dc_{t-1} = e ⊙ f
        dL/dh_{t-1} = Uᵀ dL/da

    The output gate stands first: so the σ gates are neighbours, and so are the blocks that feed c_t.
    """

    def __init__(self, cell: Cell) -> None:
        super().__init__(cell)
        self.order = ("output", "update", "forget", "candidate")

    def forward(self, tape: Tape, parameters: Parameters) -> None:
        gates, hidden, cell = tape["gates"], tape["hidden"], tape["cell"]
        products = self.products(parameters["weight_hh"], gates)
        self.prepare(tape)
        moments = self.blocks(gates) | {
            "gates": gates,
            "sigmoids": gates[..., : -self.units],
            "shown": tape["shown"],
        }
        if "seen" in tape:
            moments["seen"] = tape["seen"]
        for now in timesteps(moments, hidden=hidden, cell=cell):
            self.add_recurrent(now, products)
            self.write(now, parameters)
            torch.mul(now.output, self.show(now), out=now.hidden)

    def backward(self, tape: Tape, parameters: Parameters, d_outputs: Tensor, d_state: State) -> Gradients:
        d_gates = torch.empty_like(tape["gates"])
        d_block = self.blocks(d_gates)  # the factors, until the loop multiplies them
        moments = self.factors(tape, parameters, d_block) | {
            "from_above": d_outputs,
            "d_gates": d_gates,
            "d_output": d_block["output"],
            "d_written": self.written(d_gates),
        }
        products = self.products_back(parameters["weight_hh"], d_gates)
        d_past, d_cell = d_state
        d_cell_of_each = d_cell.unsqueeze(1)  # (batch, 1, units), the same memory
        for now in timesteps_back(moments):
            d_hidden = d_past.add_(now.from_above)
            now.d_output.mul_(d_hidden)
            d_cell.addcmul_(d_hidden, now.shows)
            now.d_written.mul_(d_cell_of_each)
            self.carry_back(now, d_cell, parameters)
            d_past = self.recurrent_backward(now, products)
        d_further = self.further_gradients(tape, parameters, d_gates)
        return Gradients(d_gates, (d_past, d_cell), self.recurrent_rows(tape), d_further)

    # Forwards, one timestep.

    def prepare(self, tape: Tape) -> None:
        """Makes room on the tape for what the backward pass needs beyond gates and states."""
        tape["shown"] = torch.empty_like(after(tape["cell"]))  # s(c_t)

    def products(self, weight: Tensor, gates: Tensor) -> tuple[Product, ...]:
        time, batch, _ = gates.shape
        return (product_with(weight, batch, time),)

    def add_recurrent(self, now: Moment, products: tuple[Product, ...]) -> None:
        """Adds the past's share to the weighted sums."""
        (product,) = products
        now.gates.add_(product(now.past_hidden))

    def write(self, now: Moment, parameters: Parameters) -> None:
        """From the weighted sums to the gates and the new cell state."""
        now.sigmoids.sigmoid_()
        tanh_(now.candidate)
        torch.mul(now.forget, now.past_cell, out=now.cell).addcmul_(now.update, now.candidate)

    def show(self, now: Moment) -> Tensor:
        """s(c_t)."""
        return tanh(now.cell, out=now.shown)

    # Backwards.

    def written(self, gates: Tensor) -> Tensor:
        """The blocks that feed c_t, all but the output gate and what stands before it: (time, batch, block, units)."""
        return self.by_block(gates)[:, :, self.order.index("output") + 1 :]

    def factors(self, tape: Tape, parameters: Parameters, out: Tape) -> Tape:
        """Writes each gate's factor into `out`, by block, and returns the factors between the states.

        Returns:
            `shows`, from dL/dh_t to e, and `carries`, from e to dL/dc_{t-1}
        """
        gate, past_cell = self.blocks(tape["gates"]), before(tape["cell"])
        times_sigmoid_slope(gate["candidate"], gate["update"], out=out["update"])
        times_sigmoid_slope(past_cell, gate["forget"], out=out["forget"])
        times_tanh_slope(gate["update"], gate["candidate"], out=out["candidate"])
        return {"shows": self.show_factors(tape, gate, out), "carries": gate["forget"]}

    def show_factors(self, tape: Tape, gate: Tape, out: Tape) -> Tensor:
        """The output gate's factor into `out`; returns the factor from dL/dh_t to e."""
        times_sigmoid_slope(tape["shown"], gate["output"], out=out["output"])
        return times_tanh_slope(gate["output"], tape["shown"], out=torch.empty_like(tape["shown"]))

    def carry_back(self, now: Moment, d_cell: Tensor, parameters: Parameters) -> None:
        """From e to dL/dc_{t-1}, in place."""
        d_cell.mul_(now.carries)

    def products_back(self, weight: Tensor, gates: Tensor) -> tuple[Product, ...]:
        time, batch, _ = gates.shape
        return (product_with(weight.T, batch, time),)

    def recurrent_backward(self, now: Moment, products: tuple[Product, ...]) -> Tensor:
        """dL/dh_{t-1}, as far as it comes through the weighted sums."""
        (product,) = products
        return product(now.d_gates)

    def recurrent_rows(self, tape: Tape) -> tuple[RecurrentRows, ...]:
        """Which rows of the recurrent weights multiplied what."""
        return (RecurrentRows(len(self.order) * self.units, before(tape["hidden"])),)

    def further_gradients(self, tape: Tape, parameters: Parameters, d_gates: Tensor) -> dict[str, Tensor]:
        """Of parameters other than the weights and the bias."""
        return {}


class CoupledLSTMPasses(LSTMPasses):
    """c_t = f ⊙ c_{t-1} + (1 - f) ⊙ g.

    Backwards: dL/da_f = e ⊙ (c_{t-1} - g) ⊙ σ'(a_f),  dL/da_g = e ⊙ (1 - f) ⊙ tanh'(a_g).
    """

    def __init__(self, cell: Cell) -> None:
        super().__init__(cell)
        self.order = ("output", "forget", "candidate")

    def write(self, now: Moment, parameters: Parameters) -> None:
        now.sigmoids.sigmoid_()
        torch.lerp(tanh_(now.candidate), now.past_cell, now.forget, out=now.cell)

    def factors(self, tape: Tape, parameters: Parameters, out: Tape) -> Tape:
        gate, past_cell = self.blocks(tape["gates"]), before(tape["cell"])
        times_sigmoid_slope(past_cell - gate["candidate"], gate["forget"], out=out["forget"])
        times_tanh_slope(1 - gate["forget"], gate["candidate"], out=out["candidate"])
        return {"shows": self.show_factors(tape, gate, out), "carries": gate["forget"]}


class PeepholeLSTMPasses(LSTMPasses):
    """a_i and a_f also have p_i ⊙ c_{t-1} and p_f ⊙ c_{t-1}; a_o has p_o ⊙ c_t, or p_o ⊙ c_{t-1}.

    Backwards:
        dL/dc_{t-1} = e ⊙ f + dL/da_i ⊙ p_i + dL/da_f ⊙ p_f, and dL/da_o ⊙ p_o where o sees c_{t-1}
        e has one share more, dL/da_o ⊙ p_o, where o sees c_t
        dL/dp = Σ dL/da ⊙ the c that is seen
    """

    def __init__(self, cell: PeepholeLSTM) -> None:
        super().__init__(cell)
        self.output_sees_new = cell.chosen["output_sees"] == "new"

    def write(self, now: Moment, parameters: Parameters) -> None:
        for name, gate in (("peephole_update", now.update), ("peephole_forget", now.forget)):
            if name in parameters:
                gate.addcmul_(parameters[name], now.past_cell)
            gate.sigmoid_()
        tanh_(now.candidate)
        torch.mul(now.forget, now.past_cell, out=now.cell).addcmul_(now.update, now.candidate)
        if "peephole_output" in parameters:
            seen = now.cell if self.output_sees_new else now.past_cell
            now.output.addcmul_(parameters["peephole_output"], seen)
        now.output.sigmoid_()

    def factors(self, tape: Tape, parameters: Parameters, out: Tape) -> Tape:
        between = super().factors(tape, parameters, out)
        for name, block in (("peephole_update", "update"), ("peephole_forget", "forget")):
            if name in parameters:
                between["carries"] = torch.addcmul(between["carries"], out[block], parameters[name])
        if "peephole_output" in parameters and self.output_sees_new:
            between["shows"].addcmul_(out["output"], parameters["peephole_output"])
        return between

    def carry_back(self, now: Moment, d_cell: Tensor, parameters: Parameters) -> None:
        d_cell.mul_(now.carries)
        if "peephole_output" in parameters and not self.output_sees_new:
            d_cell.addcmul_(now.d_output, parameters["peephole_output"])

    def further_gradients(self, tape: Tape, parameters: Parameters, d_gates: Tensor) -> dict[str, Tensor]:
        gradients = {}
        for name, d_gate in self.blocks(d_gates).items():
            if (peephole := f"peephole_{name}") in parameters:
                new = name == "output" and self.output_sees_new
                seen = after(tape["cell"]) if new else before(tape["cell"])
                gradients[peephole] = (d_gate * seen).sum((0, 1))
        return gradients


class CourseLSTMPasses(LSTMPasses):
    """Two switches. Output without tanh: s is the identity. Relevance gate: Γ_r = σ(a_r), and a_g reads the past
    through it, a_g = W_g x_t + b_g + U_g v with v = Γ_r ⊙ h_{t-1}.

    Backwards through the relevance gate:
        dL/dv   = U_gᵀ dL/da_g
        dL/da_r = dL/dv ⊙ h_{t-1} ⊙ σ'(a_r)
        dL/dh_{t-1} = dL/dv ⊙ Γ_r + U_{r,o,i,f}ᵀ dL/da_{r,o,i,f}
    """

    def __init__(self, cell: CourseLSTM) -> None:
        super().__init__(cell)
        self.relevance_gate, self.output_tanh = cell.relevance_gate, cell.output_tanh
        if self.relevance_gate:
            self.order = ("relevance", *self.order)

    def prepare(self, tape: Tape) -> None:
        if self.output_tanh:
            super().prepare(tape)
        else:
            tape["shown"] = after(tape["cell"])
        if self.relevance_gate:
            tape["seen"] = torch.empty_like(after(tape["hidden"]))  # v

    def products(self, weight: Tensor, gates: Tensor) -> tuple[Product, ...]:
        if not self.relevance_gate:
            return super().products(weight, gates)
        time, batch, _ = gates.shape
        return tuple(product_with(part, batch, time) for part in self.parts(weight))

    def parts(self, weight: Tensor) -> tuple[Tensor, Tensor]:
        """The rows of the four gates, and those of the candidate."""
        gates, candidate = weight.split((4 * self.units, self.units))
        return gates, candidate

    def add_recurrent(self, now: Moment, products: tuple[Product, ...]) -> None:
        if not self.relevance_gate:
            super().add_recurrent(now, products)
            return
        of_gates, of_candidate = products
        now.sigmoids.add_(of_gates(now.past_hidden))
        now.candidate.add_(of_candidate(torch.mul(torch.sigmoid(now.relevance), now.past_hidden, out=now.seen)))

    def show(self, now: Moment) -> Tensor:
        return super().show(now) if self.output_tanh else now.cell

    def factors(self, tape: Tape, parameters: Parameters, out: Tape) -> Tape:
        between = super().factors(tape, parameters, out)
        if self.relevance_gate:
            relevance = self.blocks(tape["gates"])["relevance"]
            times_sigmoid_slope(before(tape["hidden"]), relevance, out=out["relevance"])
            between |= {"relevance": relevance, "d_relevance": out["relevance"], "d_candidate": out["candidate"]}
        return between

    def show_factors(self, tape: Tape, gate: Tape, out: Tape) -> Tensor:
        if self.output_tanh:
            return super().show_factors(tape, gate, out)
        times_sigmoid_slope(tape["shown"], gate["output"], out=out["output"])
        return gate["output"]

    def products_back(self, weight: Tensor, gates: Tensor) -> tuple[Product, ...]:
        if not self.relevance_gate:
            return super().products_back(weight, gates)
        time, batch, _ = gates.shape
        return tuple(product_with(part.T, batch, time) for part in self.parts(weight))

    def recurrent_backward(self, now: Moment, products: tuple[Product, ...]) -> Tensor:
        if not self.relevance_gate:
            return super().recurrent_backward(now, products)
        of_gates, of_candidate = products
        d_seen = of_candidate(now.d_candidate)
        now.d_relevance.mul_(d_seen)
        return of_gates(now.d_gates[:, : -self.units]).addcmul_(d_seen, now.relevance)

    def recurrent_rows(self, tape: Tape) -> tuple[RecurrentRows, ...]:
        if not self.relevance_gate:
            return super().recurrent_rows(tape)
        return RecurrentRows(4 * self.units, before(tape["hidden"])), RecurrentRows(self.units, tape["seen"])
