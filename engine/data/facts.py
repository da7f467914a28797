"""What the figures of a model need to know of its text: how losses become bits per character, what was unknown or seen.

A loss per token says little about a text: a model that reads words pays nothing for spelling a word that it reads as
`<unk>`, nor for the spacing that its tokens do not tell. Bits per character pay for the whole validation part:

    bits per character = loss / (ln 2 · characters per token) + spelling + spacing

so that models that read characters and models that read words can be compared on one text.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from math import isfinite, log
from typing import Any


@dataclass(frozen=True)
class PerCharacter:
    """How a loss in nats per token becomes bits per character: a straight line.

    Attributes:
        characters_per_token: mean number of characters of the validation part that a token stands for.
        extra: bits per character for what the tokens leave open.
    """

    characters_per_token: float = 1.0
    extra: float = 0.0

    def __post_init__(self) -> None:
        if not (isfinite(self.characters_per_token) and self.characters_per_token > 0):
            raise ValueError(f"The number of characters per token must be positive, not {self.characters_per_token}.")
        if not (isfinite(self.extra) and self.extra >= 0):
            raise ValueError(
                f"The cost of spelling and spacing cannot be negative, as {self.extra} bits per character is."
            )

    def bits(self, loss: Any) -> Any:
        """Bits per character for losses in nats per token, a float or an array of any shape; NaN stays NaN."""
        return loss / (log(2) * self.characters_per_token) + self.extra


@dataclass(frozen=True)
class TextFacts:
    """Facts on a prepared text. `engine.analysis.text_facts` computes them.

    Attributes:
        validation_characters: characters of the validation part.
        characters_per_token: mean number of them that a token stands for.
        spelling: bits per character, over the whole validation part, that spell what is read as `<unk>`.
        spacing: bits per character, likewise, for the spacing that the tokens do not tell.
        unknown_train, unknown_validation: share of each part's tokens that are `<unk>`, in [0, 1].
        seen: share of the validation part's characters that stand word for word in the training part, in [0, 1].
    """

    validation_characters: int
    characters_per_token: float
    spelling: float
    spacing: float
    unknown_train: float
    unknown_validation: float
    seen: float

    def __post_init__(self) -> None:
        if self.validation_characters < 1:
            raise ValueError(f"A validation part needs at least one character, not {self.validation_characters}.")
        if min(self.spelling, self.spacing) < 0:
            raise ValueError("The costs of spelling and spacing cannot be negative.")
        if not all(0 <= share <= 1 for share in (self.unknown_train, self.unknown_validation, self.seen)):
            raise ValueError("A share must lie between 0 and 1.")
        _ = self.per_character  # refuses what is not finite

    @property
    def per_character(self) -> PerCharacter:
        """How losses of a model of this text become bits per character."""
        return PerCharacter(self.characters_per_token, self.spelling + self.spacing)

    def to_dict(self) -> dict[str, Any]:
        """As plain values for JSON; `from_dict` gives it back, equal."""
        return asdict(self)

    @staticmethod
    def from_dict(plain: Any) -> TextFacts:
        """The facts that `to_dict` gave.

        Raises:
            ValueError: other keys, or values that cannot be
        """
        names = [item.name for item in fields(TextFacts)]
        if not isinstance(plain, dict) or sorted(plain) != sorted(names):
            raise ValueError(f"The facts of a text have the keys {', '.join(names)}.")
        if not all(type(value) in (int, float) for value in plain.values()):
            raise ValueError("The facts of a text must be numbers.")
        return TextFacts(**{name: float(plain[name]) for name in names[1:]}, validation_characters=int(plain[names[0]]))
