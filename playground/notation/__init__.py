"""One quantity, four names: as Ng's course writes it, as CS231n does, as PyTorch does, and in plain words.

A notation renames; it never puts another equation in a cell's place. Where a course's equation differs, that is
another cell or a switch of it; `course_note` says what the course writes. LaTeX here uses only what KaTeX knows.

Positions in a sequence and layers are counted from 0 in all arguments, as in arrays; Ng and CS231n show them from 1.
"""

from playground.notation.courses import course_note
from playground.notation.equations import formulas, output_formulas, written
from playground.notation.parts import Formula, Part, Parts
from playground.notation.symbols import Sign, Symbol
from playground.notation.terms import NOTATIONS, QUANTITIES, TIME, Index, Term, block_term, first_index, sign, term

__all__ = [
    "NOTATIONS",
    "QUANTITIES",
    "TIME",
    "Formula",
    "Index",
    "Part",
    "Parts",
    "Sign",
    "Symbol",
    "Term",
    "block_term",
    "course_note",
    "first_index",
    "formulas",
    "output_formulas",
    "sign",
    "term",
    "written",
]
