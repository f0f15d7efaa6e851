"""The flags of a `tritonserver` command line.

"tritonserver --http-address 0.0.0.0 --grpc-restricted-protocol=trace:k=v" --shlex--> LaunchLine
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from interlingua.base.errors import InputError

ADDRESSES = {"http": "--http-address", "grpc": "--grpc-address", "metrics": "--metrics-address"}
_LOOPBACK = ("127.", "localhost", "::1", "[::1]")
_OFF = ("false", "0", "off")


@dataclass(frozen=True)
class LaunchLine:
    """Flags with their values, in order; a flag without a value has ""."""

    flags: tuple[tuple[str, str], ...]

    @classmethod
    def parse(cls, line: str) -> LaunchLine:
        """Raises InputError: quotes do not match."""
        try:
            words = shlex.split(line)
        except ValueError as error:
            raise InputError(f"--launch: {error} in {line!r}") from error
        flags: list[tuple[str, str]] = []
        for word in words:
            if word.startswith("--"):
                name, _, value = word.partition("=")
                flags.append((name, value))
            elif flags and not flags[-1][1]:
                flags[-1] = (flags[-1][0], word)
        return cls(tuple(flags))

    def has(self, name: str) -> bool:
        return any(flag == name for flag, _ in self.flags)

    def value(self, name: str, default: str = "") -> str:
        """The last value of a flag."""
        return next((value for flag, value in reversed(self.flags) if flag == name and value), default)

    def values(self, name: str) -> tuple[str, ...]:
        return tuple(value for flag, value in self.flags if flag == name)

    def on(self, name: str, *, default: bool) -> bool:
        """A boolean flag; one without a value is on."""
        if not self.has(name):
            return default
        return self.value(name, "true").lower() not in _OFF

    def open_to_all(self, protocol: str) -> bool:
        """Whether a protocol (http, grpc, metrics) listens on more than loopback; Triton's default is 0.0.0.0."""
        address = self.value(ADDRESSES[protocol], "0.0.0.0")  # noqa: S104 - read, not bound
        return self.on(f"--allow-{protocol}", default=True) and not address.startswith(_LOOPBACK)

    def restricted(self, flag: str) -> set[str]:
        """The APIs that a --http-restricted-api or --grpc-restricted-protocol closes: `<apis>:<key>=<value>`."""
        return {api.strip() for value in self.values(flag) for api in value.partition(":")[0].split(",")}
