"""One quantity, four names: as Ng's course writes it, as CS231n does, as PyTorch does, and in plain words.

A notation renames; it never puts another equation in a cell's place. Where a course's equation differs, that is
another cell or a switch of it. LaTeX here uses only what KaTeX knows.

Positions in a sequence and layers are counted from 0 in all arguments, as in arrays; Ng and CS231n show them from 1.
"""

from playground.notation.equations import CELLS_WITH_EQUATIONS, equation_parts, equations, output_parts
from playground.notation.parts import Equation, Part
from playground.notation.symbols import Symbol
from playground.notation.terms import NOTATIONS, QUANTITIES, Index, Term, first_index, term

__all__ = [
    "CELLS_WITH_EQUATIONS",
    "NOTATIONS",
    "QUANTITIES",
    "Equation",
    "Index",
    "Part",
    "Symbol",
    "Term",
    "equation_parts",
    "equations",
    "first_index",
    "output_parts",
    "term",
]
