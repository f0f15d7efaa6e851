"""What a graph takes and gives, and the tokens that it knows, against the checkpoint that it was made of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from interlingua.base.errors import ExportError, InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from interlingua.served.text.tokenizer import Tokens
    from interlingua_exporter.graphs.checkpoint import Checkpoint
    from interlingua_exporter.graphs.network_session import NetworkSession


def check_signature(checkpoint: Checkpoint, session: NetworkSession) -> None:
    """Raises ExportError: naming every name, axis and dtype that is not as it has to be."""
    faults = []
    inputs = {entry.name: entry for entry in session.inputs}
    if set(inputs) != set(checkpoint.inputs):
        faults.append(f"inputs {sorted(inputs)} instead of {sorted(checkpoint.inputs)}")
    faults += [
        f"input {entry.name} is {entry.kind} {list(entry.shape)}, not int64 [batch, length]"
        for entry in inputs.values()
        if entry.kind != "tensor(int64)" or len(entry.shape) != 2 or any(isinstance(n, int) for n in entry.shape)
    ]
    outputs = session.outputs
    if [entry.name for entry in outputs] != [checkpoint.output]:
        faults.append(f"outputs {[entry.name for entry in outputs]} instead of [{checkpoint.output!r}]")
    for entry in outputs:
        axes = ("batch", "length") if checkpoint.interaction else ("batch",)
        dynamic = len(entry.shape) == len(axes) + 1 and not any(isinstance(size, int) for size in entry.shape[:-1])
        if entry.kind != "tensor(float)" or not dynamic or entry.shape[-1] != checkpoint.dimension:
            wanted = ", ".join((*axes, str(checkpoint.dimension)))
            faults.append(f"output {entry.name} is {entry.kind} {list(entry.shape)}, not float [{wanted}]")
    if faults:
        raise ExportError(f"{checkpoint.spec.id}: the exported graph has {'; '.join(faults)}. Nothing was published.")


def check_vocabulary(checkpoint: Checkpoint, rows: Sequence[Tokens]) -> None:
    """Raises InputError: the tokenizer gives ids that the network does not have."""
    largest = max(max(row.ids) for row in rows)
    if largest >= checkpoint.vocabulary:
        raise InputError(
            f"{checkpoint.spec.id}: the tokenizer gives token {largest}, the network has {checkpoint.vocabulary}: "
            "they do not belong together"
        )
