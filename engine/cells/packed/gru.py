"""The gated recurrent units' passes.

All three end in h_t = (1 - k) ⊙ c̃ + k ⊙ h_{t-1}, with k the share that is kept, and so all begin their way
back with dL/dc̃ = dL/dh_t ⊙ (1 - k) and dL/dk = dL/dh_t ⊙ (h_{t-1} - c̃).
"""

from __future__ import annotations

import torch
from torch import Tensor

from engine.cells.cell import Parameters, State
from engine.cells.packed.functions import tanh_, times_sigmoid_slope, times_tanh_slope
from engine.cells.packed.passes import Gradients, Passes, RecurrentRows, Tape, after, before, timesteps, timesteps_back
from engine.cells.products import product_with


class SimplifiedGRUPasses(Passes):
    """Γ_u = σ(a_u),  c̃ = tanh(a_c),  h_t = Γ_u ⊙ c̃ + (1 - Γ_u) ⊙ h_{t-1}, with a = W_x x_t + b + W_h h_{t-1}.

    Backwards, with d = dL/dh_t:
        dL/da_u = d ⊙ (c̃ - h_{t-1}) ⊙ σ'(a_u)
        dL/da_c = d ⊙ Γ_u ⊙ tanh'(a_c)
        dL/dh_{t-1} = d ⊙ (1 - Γ_u) + W_hᵀ dL/da
    """

    def forward(self, tape: Tape, parameters: Parameters) -> None:
        gates, hidden = tape["gates"], tape["hidden"]
        time, batch, _ = gates.shape
        product = product_with(parameters["weight_hh"], batch, time)
        for now in timesteps(self.blocks(gates) | {"gates": gates}, hidden=hidden):
            now.gates.add_(product(now.past_hidden))
            update, candidate = now.update.sigmoid_(), tanh_(now.candidate)
            torch.lerp(now.past_hidden, candidate, update, out=now.hidden)

    def backward(self, tape: Tape, parameters: Parameters, d_outputs: Tensor, d_state: State) -> Gradients:
        gate, past = self.blocks(tape["gates"]), before(tape["hidden"])
        d_gates = torch.empty_like(tape["gates"])
        factor = self.blocks(d_gates)
        times_sigmoid_slope(gate["candidate"] - past, gate["update"], out=factor["update"])
        times_tanh_slope(gate["update"], gate["candidate"], out=factor["candidate"])
        keep = 1 - gate["update"]
        _, d_first = self.through_time(d_gates, keep, d_outputs, d_state, parameters["weight_hh"])
        return Gradients(d_gates, (d_first,), (RecurrentRows(2 * self.units, past),))

    def through_time(
        self, d_gates: Tensor, keep: Tensor, d_outputs: Tensor, d_state: State, weight: Tensor
    ) -> tuple[Tensor, Tensor]:
        """The loop back, for cells in which every gate's gradient is a factor times dL/dh_t.

        Args:
            d_gates: (time, batch, blocks x units), the factors; multiplied to be the gradients
            keep: (time, batch, units), the share of h_{t-1} in h_t
            d_outputs: (time, batch, units)
            d_state: of the state after the last timestep
            weight: (blocks x units, units)

        Returns:
            dL/dh_t, (time, batch, units), and the gradient of the first state
        """
        time, batch, _ = d_outputs.shape
        product = product_with(weight.T, batch, time)
        d_hidden = torch.empty_like(d_outputs, memory_format=torch.contiguous_format)
        (d_past,) = d_state
        moments = {
            "from_above": d_outputs,
            "d_hidden": d_hidden,
            "d_hidden_of_each": d_hidden.unsqueeze(2),  # (time, batch, 1, units)
            "d_gates": d_gates,
            "d_each": self.by_block(d_gates),  # (time, batch, block, units)
            "keep": keep,
        }
        for now in timesteps_back(moments):
            torch.add(d_past, now.from_above, out=now.d_hidden)
            now.d_each.mul_(now.d_hidden_of_each)
            d_past = product(now.d_gates).addcmul_(now.d_hidden, now.keep)
        return d_hidden, d_past


class GRUPasses(SimplifiedGRUPasses):
    """r = σ(a_r),  z = σ(a_z),  n = tanh(W_n x_t + b_n + r ⊙ m),  m = U_n h_{t-1} + b_hn,
    h_t = (1 - z) ⊙ n + z ⊙ h_{t-1}.

    Backwards, with d = dL/dh_t, a_n for the argument of tanh, and e = (1 - z) ⊙ tanh'(a_n):
        dL/da_n = d ⊙ e
        dL/da_r = d ⊙ e ⊙ m ⊙ σ'(a_r)
        dL/da_z = d ⊙ (h_{t-1} - n) ⊙ σ'(a_z)
        dL/dm   = d ⊙ e ⊙ r
        dL/dh_{t-1} = d ⊙ z + Uᵀ [dL/da_r; dL/da_z; dL/dm]
    """

    def forward(self, tape: Tape, parameters: Parameters) -> None:
        gates, hidden = tape["gates"], tape["hidden"]
        time, batch, _ = gates.shape
        product = product_with(parameters["weight_hh"], batch, time)
        bias = parameters.get("bias_candidate")
        tape["recurrent_candidate"] = torch.empty_like(after(hidden))  # m: the recurrent part of the candidate
        split = (2 * self.units, self.units)
        moments = self.blocks(gates) | {
            "reset_and_keep": gates[..., : 2 * self.units],
            "recurrent_candidate": tape["recurrent_candidate"],
        }
        for now in timesteps(moments, hidden=hidden):
            recurrent_gates, recurrent_candidate = product(now.past_hidden).split_with_sizes(split, 1)
            now.reset_and_keep.add_(recurrent_gates).sigmoid_()
            if bias is None:
                now.recurrent_candidate.copy_(recurrent_candidate)
            else:
                torch.add(recurrent_candidate, bias, out=now.recurrent_candidate)
            candidate = tanh_(now.candidate.addcmul_(now.reset, now.recurrent_candidate))
            torch.lerp(candidate, now.past_hidden, now.keep, out=now.hidden)

    def backward(self, tape: Tape, parameters: Parameters, d_outputs: Tensor, d_state: State) -> Gradients:
        gate, past, recurrent = self.blocks(tape["gates"]), before(tape["hidden"]), tape["recurrent_candidate"]
        d_gates = torch.empty_like(tape["gates"])  # of a_r, a_z and m, which the recurrent product feeds
        factor = self.blocks(d_gates)
        candidate_factor = 1 - gate["keep"]
        times_tanh_slope(candidate_factor, gate["candidate"], out=candidate_factor)
        torch.mul(candidate_factor, gate["reset"], out=factor["candidate"])
        times_sigmoid_slope(candidate_factor * recurrent, gate["reset"], out=factor["reset"])
        times_sigmoid_slope(past - gate["candidate"], gate["keep"], out=factor["keep"])
        d_hidden, d_first = self.through_time(d_gates, gate["keep"], d_outputs, d_state, parameters["weight_hh"])

        d_recurrent = factor["candidate"].clone()
        torch.mul(d_hidden, candidate_factor, out=factor["candidate"])  # now of a_n, which the input feeds
        recurrent_rows = (RecurrentRows(2 * self.units, past), RecurrentRows(self.units, past, d_product=d_recurrent))
        d_bias = {"bias_candidate": d_recurrent.sum((0, 1))} if "bias_candidate" in parameters else {}
        return Gradients(d_gates, (d_first,), recurrent_rows, d_bias)


class ResetBeforeGRUPasses(Passes):
    """Γ_u = σ(a_u),  Γ_r = σ(a_r),  c̃ = tanh(W_c x_t + b_c + U_c s),  s = Γ_r ⊙ h_{t-1},
    h_t = Γ_u ⊙ c̃ + (1 - Γ_u) ⊙ h_{t-1}.

    Backwards, with d = dL/dh_t:
        dL/da_u = d ⊙ (c̃ - h_{t-1}) ⊙ σ'(a_u)
        dL/da_c = d ⊙ Γ_u ⊙ tanh'(a_c)
        dL/ds   = U_cᵀ dL/da_c
        dL/da_r = dL/ds ⊙ h_{t-1} ⊙ σ'(a_r)
        dL/dh_{t-1} = d ⊙ (1 - Γ_u) + dL/ds ⊙ Γ_r + [U_u; U_r]ᵀ [dL/da_u; dL/da_r]
    """

    def forward(self, tape: Tape, parameters: Parameters) -> None:
        gates, hidden = tape["gates"], tape["hidden"]
        time, batch, _ = gates.shape
        weight_gates, weight_candidate = parameters["weight_hh"].split((2 * self.units, self.units))
        gate_product = product_with(weight_gates, batch, time)
        candidate_product = product_with(weight_candidate, batch, time)
        tape["seen"] = torch.empty_like(after(hidden))  # s: what the candidate sees of the past
        moments = self.blocks(gates) | {
            "update_and_reset": gates[..., : 2 * self.units],
            "seen": tape["seen"],
        }
        for now in timesteps(moments, hidden=hidden):
            now.update_and_reset.add_(gate_product(now.past_hidden)).sigmoid_()
            seen = torch.mul(now.reset, now.past_hidden, out=now.seen)
            candidate = tanh_(now.candidate.add_(candidate_product(seen)))
            torch.lerp(now.past_hidden, candidate, now.update, out=now.hidden)

    def backward(self, tape: Tape, parameters: Parameters, d_outputs: Tensor, d_state: State) -> Gradients:
        gate, past = self.blocks(tape["gates"]), before(tape["hidden"])
        d_gates = torch.empty_like(tape["gates"])
        factor = self.blocks(d_gates)
        times_sigmoid_slope(gate["candidate"] - past, gate["update"], out=factor["update"])
        times_sigmoid_slope(past, gate["reset"], out=factor["reset"])
        times_tanh_slope(gate["update"], gate["candidate"], out=factor["candidate"])

        time, batch, _ = d_outputs.shape
        weight_gates, weight_candidate = parameters["weight_hh"].split((2 * self.units, self.units))
        gate_product = product_with(weight_gates.T, batch, time)
        candidate_product = product_with(weight_candidate.T, batch, time)
        (d_past,) = d_state
        moments = {f"d_{name}": values for name, values in factor.items()} | {
            "d_update_and_reset": d_gates[..., : 2 * self.units],
            "from_above": d_outputs,
            "keep": 1 - gate["update"],
            "reset": gate["reset"],
        }
        for now in timesteps_back(moments):
            d_hidden = d_past.add_(now.from_above)
            now.d_update.mul_(d_hidden)
            d_seen = candidate_product(now.d_candidate.mul_(d_hidden))
            now.d_reset.mul_(d_seen)
            d_past = gate_product(now.d_update_and_reset)
            d_past.addcmul_(d_hidden, now.keep).addcmul_(d_seen, now.reset)
        recurrent_rows = (RecurrentRows(2 * self.units, past), RecurrentRows(self.units, tape["seen"]))
        return Gradients(d_gates, (d_past,), recurrent_rows)
