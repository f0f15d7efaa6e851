"""Every list's values, kept beside the report, so that two reports can be compared list by list.

values.npz: query, pool, language, kind, group [R]; value:SYSTEM:MEASURE [R], NaN where not defined
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

from interlingua.base.errors import InputError
from interlingua.base.whole_file import whole
from interlingua_evaluation.systems.candidate_lists import Pair

if TYPE_CHECKING:
    from interlingua_evaluation.measures.relevance import Values

FILE = "values.npz"

_VALUE = "value:"
_KEYS = ("query", "pool", "language", "kind", "group")

Strings = npt.NDArray[np.str_]


@dataclass(frozen=True, kw_only=True)
class ListValues:
    """Values of R lists.

    Attributes:
        query, pool, language, kind, group: of each list, [R]; the language is the query's.
        values: system -> measure -> [R].
    """

    query: Strings
    pool: Strings
    language: Strings
    kind: Strings
    group: Strings
    values: Mapping[str, Mapping[str, Values]]

    @property
    def pairs(self) -> list[Pair]:
        """The language pair of each list."""
        return [Pair(*names) for names in zip(self.language.tolist(), self.pool.tolist(), strict=True)]

    @property
    def measures(self) -> list[str]:
        """The measures of the first system; all have the same."""
        return list(next(iter(self.values.values()), {}))

    def rows(self, chosen: Sequence[int] | npt.NDArray[np.int64]) -> ListValues:
        """Some of the lists."""
        keys = {name: getattr(self, name)[chosen] for name in _KEYS}
        values = {
            system: {measure: values[chosen] for measure, values in measures.items()}
            for system, measures in self.values.items()
        }
        return ListValues(**keys, values=values)

    def save(self, folder: Path) -> None:
        """Writes the values to FILE."""
        arrays = {name: getattr(self, name) for name in _KEYS}
        for system, measures in self.values.items():
            arrays |= {f"{_VALUE}{system}:{measure}": values for measure, values in measures.items()}
        with whole(folder / FILE) as partial, partial.open("wb") as file:
            np.savez_compressed(file, **arrays)

    @classmethod
    def load(cls, folder: Path) -> ListValues:
        """Read FILE.

        Raises:
            InputError: it is not there, or it is not what `save` wrote.
        """
        file = folder / FILE
        try:
            with np.load(file, allow_pickle=False) as arrays:
                keys = {name: arrays[name] for name in _KEYS}
                values: dict[str, dict[str, Values]] = {}
                for name in arrays.files:
                    if name.startswith(_VALUE):
                        system, measure = name.removeprefix(_VALUE).rsplit(":", 1)
                        values.setdefault(system, {})[measure] = arrays[name]
        except (OSError, ValueError, KeyError, BadZipFile) as error:
            raise InputError(
                f"{file} is not there or cannot be read ({error}): a report is a folder that `interlingua evaluate "
                "--out` wrote"
            ) from error
        return cls(**keys, values=values)
