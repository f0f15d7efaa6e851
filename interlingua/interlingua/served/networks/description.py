"""network.json of a version: what the backend has to know to load and run the network beside it.

    <version>/network.json, model/ (config.json, safetensors, the model's own code), dense.safetensors

The digest of the version covers all of them, so the precision, which decides the answers, stands here.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

from interlingua.served.networks.assembly import Assembly

if TYPE_CHECKING:
    from pathlib import Path

FILE = "network.json"
MODEL = "model"
DENSE = "dense.safetensors"
PRECISIONS = ("fp32", "bf16", "fp16")  # that torch serves


@dataclass(frozen=True, kw_only=True)
class Description:
    """A published network.

    Attributes:
        precision: of the network; pooling, dense layers and head are float32 in every one.
        dimension: values out.
        vocabulary: ids are below this.
        max_tokens: a text has at most so many.
        token_types: kinds of token_type_ids that the network knows; at least 1.
    """

    precision: str
    inputs: tuple[str, ...]
    output: str
    dimension: int
    vocabulary: int
    max_tokens: int
    token_types: int
    assembly: Assembly

    def write(self, folder: Path) -> None:
        content = asdict(self) | {"assembly": self.assembly.to_json()}
        (folder / FILE).write_text(json.dumps(content, indent=2, sort_keys=True) + "\n", encoding="utf-8")

    @classmethod
    def read(cls, folder: Path) -> Description:
        """Raises ValueError: it is missing, damaged, or of a later release."""
        path = folder / FILE
        try:
            value = json.loads(path.read_text(encoding="utf-8"))
            assembly = Assembly.from_json(value["assembly"])
            made = replace(cls(**{**value, "assembly": assembly}), inputs=tuple(value["inputs"]))
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise ValueError(f"{path} cannot be read: {error!s}") from error
        if made.precision not in PRECISIONS:
            raise ValueError(f"{path}: precision is {made.precision!r}, not one of {', '.join(PRECISIONS)}")
        return made
