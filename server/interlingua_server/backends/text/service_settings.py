"""What a service has to know, from the parameters of its config.pbtxt: one set a version (`1/prompt`, ...)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_DEFAULT_OUTSTANDING_CALLS = 2


@dataclass(frozen=True)
class ServiceSettings:
    """The parameters of one version; interlingua/served/service.py describes each."""

    network: str
    version: int
    network_inputs: tuple[str, ...]
    prompt: str
    template: str
    max_tokens: int
    max_batch_tokens: int
    max_text_bytes: int
    pad_token_id: int
    pad_left: bool
    max_call_texts: int
    outstanding_calls: int

    @classmethod
    def read(cls, config: Mapping[str, Any], version: str) -> ServiceSettings:
        """From a configuration as Triton gives it to a Python model. Raises ValueError: a parameter is missing."""
        raw = {key: value["string_value"] for key, value in config.get("parameters", {}).items()}

        def value(name: str) -> str:
            key = f"{version}/{name}"
            if key not in raw:
                raise ValueError(f"config.pbtxt has no parameter {key!r}: export again")
            return str(raw[key])

        return cls(
            network=value("network"),
            version=int(version),
            network_inputs=tuple(value("network_inputs").split(",")),
            prompt=value("prompt"),
            template=str(raw.get(f"{version}/template", "")),  # versions published before there was one state none
            max_tokens=int(value("max_tokens")),
            max_batch_tokens=int(value("max_batch_tokens")),
            max_text_bytes=int(value("max_text_bytes")),
            pad_token_id=int(value("pad_token_id")),
            pad_left=value("padding_side") == "left",
            max_call_texts=max(int(config["max_batch_size"]), 1),
            outstanding_calls=int(raw.get("outstanding_calls", _DEFAULT_OUTSTANDING_CALLS)),
        )
