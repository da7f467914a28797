"""The frames of the live charts: made once for everybody."""

from __future__ import annotations

import pytest

from playground.access.chart_frames import live_frames
from playground.access.runs import watched

pytestmark = pytest.mark.usefixtures("idle_trainer")


def test_two_visitors_of_the_same_moment_share_one_set_of_frames() -> None:
    snapshots = watched("tales-gru")
    assert live_frames(snapshots, "nats", "step") is live_frames(snapshots, "nats", "step")
