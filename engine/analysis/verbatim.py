"""How much of a sample stands word for word in the training text: memorised or new?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

LEAST = 20  # characters; shorter agreements say little, since any two texts share words and phrases

_FACTOR = np.uint64(0x9E3779B97F4A7C15)  # odd, so that multiplying by it loses nothing


@dataclass(frozen=True)
class Verbatim:
    """What of a sample stands in the training text as it is.

    Attributes:
        share: share of the sample's characters that lie in such stretches of at least `LEAST`, in [0, 1].
        longest: length of the longest stretch that stands in one piece in the training text, in
            characters; 0 if none has `LEAST`.
        start, end: where that stretch is: sample[start:end].
    """

    share: float
    longest: int
    start: int
    end: int


class VerbatimIndex:
    """Finds stretches of a training text again. Built once per text; takes 8 bytes a character.

    Every window of `LEAST` characters is one sorted 64-bit number: the window's hash in the upper bits,
    its place in the lower ones. A hash only proposes a place: the text itself decides, so that the
    answers are exact.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self._place_bits = np.uint64(max(len(text).bit_length(), 1))
        keys = _window_hashes(text)
        keys >>= self._place_bits
        keys <<= self._place_bits
        keys |= np.arange(len(keys), dtype=np.uint64)
        keys.sort()
        self._keys = keys

    def match(self, sample: str) -> Verbatim:
        """How much of `sample` stands in the text."""
        found = self._windows_found(sample)  # (windows)
        if not found.any():
            return Verbatim(0.0, 0, 0, 0)
        start, end = self._longest(sample, _runs(found))
        return Verbatim(float(_covered(found, len(sample)).mean()), end - start, start, end)

    def share(self, sample: str) -> float:
        """As `match(sample).share`, without a search for the longest stretch, which takes long where lines recur."""
        return float(_covered(self._windows_found(sample), len(sample)).mean()) if sample else 0.0

    def stretches(self, sample: str) -> list[tuple[int, int]]:
        """Where `sample` repeats the text: (start, end) of every stretch that such repetitions cover, in order.

        A repetition is at least `LEAST` characters that stand in the text in one piece. Where several overlap or
        touch they make one stretch, so a stretch may be put together from different places; `match` gives the
        longest that stands in one piece. Together they cover `match(sample).share` of the sample.
        """
        covered = _covered(self._windows_found(sample), len(sample))
        edges = np.flatnonzero(np.diff(covered, prepend=False, append=False)).tolist()
        return list(zip(edges[::2], edges[1::2], strict=True))

    def _windows_found(self, sample: str) -> np.ndarray:
        """For each window of the sample whether it stands in the text, (windows), bool."""
        hashes = _window_hashes(sample) >> self._place_bits
        lows = np.searchsorted(self._keys, hashes << self._place_bits)
        found = np.zeros(len(hashes), dtype=bool)
        places_mask = (np.uint64(1) << self._place_bits) - np.uint64(1)
        in_reach = np.flatnonzero(lows < len(self._keys))
        likely = in_reach[self._keys[lows[in_reach]] >> self._place_bits == hashes[in_reach]]
        for window in likely:
            wanted = sample[window : window + LEAST]
            row = lows[window]
            while row < len(self._keys) and self._keys[row] >> self._place_bits == hashes[window]:
                if self.text.startswith(wanted, int(self._keys[row] & places_mask)):
                    found[window] = True
                    break
                row += 1
        return found

    def _longest(self, sample: str, runs: list[tuple[int, int]]) -> tuple[int, int]:
        """The longest stretch of the sample that stands in the text in one piece.

        A run of neighbouring windows that were all found is nearly always one piece, so whole runs are
        tried first, the longest before the others; a run pieced together is searched from each of its
        places for anything longer than the best so far.
        """
        best = (0, 0)
        for start, end in sorted(runs, key=lambda run: run[0] - run[1]):
            length = best[1] - best[0]
            if end - start <= length:
                break
            if sample[start:end] in self.text:
                best = (start, end)
                continue
            while end - start > length:
                place = self.text.find(sample[start : start + max(length + 1, LEAST)])
                if place < 0:
                    start += 1
                else:
                    length = _agreement(sample[start:end], self.text[place : place + end - start])
                    best = (start, start + length)
        return best


def share_seen(text: str, training_text: str) -> float:
    """Share of a text's characters that stand word for word in the training text, in [0, 1].

    They count in stretches of at least `LEAST`; a shorter text counts if it stands there as a whole.
    """
    if len(text) < LEAST or text == training_text:
        return float(text in training_text)
    return VerbatimIndex(training_text).share(text)


def _covered(found: np.ndarray, characters: int) -> np.ndarray:
    """For each character of a sample whether a found window holds it, (characters), bool."""
    changes = np.zeros(characters + 1, dtype=np.int64)  # +1 where a found window begins, -1 after it ends
    changes[: len(found)] += found
    changes[LEAST : LEAST + len(found)] -= found
    return np.cumsum(changes[:-1]) > 0


def _runs(found: np.ndarray) -> list[tuple[int, int]]:
    """The stretches of a sample, (start, end), that windows found one after another cover."""
    edges = np.flatnonzero(np.diff(found, prepend=False, append=False))
    return [(int(first), int(after) - 1 + LEAST) for first, after in zip(edges[::2], edges[1::2], strict=True)]


def _agreement(left: str, right: str) -> int:
    """How many characters two texts have in common at their start."""
    for place, (one, other) in enumerate(zip(left, right, strict=False)):
        if one != other:
            return place
    return min(len(left), len(right))


def _window_hashes(text: str) -> np.ndarray:
    """A hash of every window of `LEAST` characters, (windows), uint64: polynomial, modulo 2^64, top bits mixed.

    Windows of 1, 2, 4, 8 ... characters are joined to ever longer ones, each from two neighbours.
    """
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4")
    if len(codes) < LEAST:
        return np.zeros(0, dtype=np.uint64)
    power = codes.astype(np.uint64)  # hashes of windows of `width` characters
    whole = np.zeros(len(codes) + 1, dtype=np.uint64)  # and of windows of `covered` characters
    width, covered, factor = 1, 0, int(_FACTOR)
    while covered < LEAST:
        if LEAST & width:
            whole = _joined(whole, covered, power, factor)
            covered += width
        if covered < LEAST:
            power = _joined(power, width, power, factor)
            width, factor = 2 * width, factor * factor % 2**64
    whole ^= whole >> np.uint64(32)
    whole *= _FACTOR
    return whole


def _joined(left: np.ndarray, width: int, right: np.ndarray, factor: int) -> np.ndarray:
    """Hashes of windows made of `width` characters hashed in `left` and the next ones hashed in `right`."""
    count = len(right) - width
    joined = left[:count] * np.uint64(factor)
    joined += right[width:]
    return joined
