"""A catalogue entry in its true shape with random weights: to measure speed and memory without the download.

ModelSpec --network_kind, write_modules, stand_in--> folder, transformers layout --catalogued_folder.load--> Checkpoint

From the folder on it is the road of any local model. What comes out says that it is random: its revision is
`dummy-SEED`, and a note goes with it.
"""

from __future__ import annotations

import gc
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from interlingua.base.errors import InputError
from interlingua.base.json_object import read_object
from interlingua_exporter.graphs.folder_network import quiet_transformers
from interlingua_exporter.models.spec import FolderSource
from interlingua_exporter.texts.text_frame import with_task
from interlingua_exporter.weights import catalogued_folder
from interlingua_exporter.weights.dummy.dummy_config import network_kind
from interlingua_exporter.weights.dummy.dummy_modules import write_json, write_modules
from interlingua_exporter.weights.dummy.dummy_tokenizer import stand_in

if TYPE_CHECKING:
    from interlingua_exporter.graphs.checkpoint import Checkpoint
    from interlingua_exporter.models.resolve import ResolvedModel
    from interlingua_exporter.models.spec import ModelSpec
    from interlingua_exporter.weights.checkpoint_folder import Overrides

SEED = 0
_MARK = "dummy-"


def load(model: ResolvedModel, overrides: Overrides) -> Checkpoint:
    """The dummy of a catalogue's model, with `SEED`. Its folder, as large as its weights in fp32, is temporary.

    Raises:
        InputError: it has no entry, or as `dummy_checkpoint`.
        ArchiveError: the default tokenizer cannot be had.
    """
    spec = model.entry
    if spec is None:
        raise InputError(
            f"{model.name!r} is not in the catalogue, and random weights are made of an entry's shape. {model.hint}"
        )
    if overrides.task is not None:
        spec, overrides = with_task(spec, overrides.task), replace(overrides, task=None)
    with tempfile.TemporaryDirectory(prefix="interlingua-dummy-") as folder:
        return dummy_checkpoint(spec, Path(folder), seed=SEED, overrides=overrides)


def revision(seed: int) -> str:
    """What stands in a published service where another model has its commit."""
    return f"{_MARK}{seed}"


def is_dummy(revision: str) -> bool:
    """Whether a revision says that the weights are random."""
    return revision.startswith(_MARK)


def dummy_checkpoint(
    spec: ModelSpec, folder: Path, *, seed: int = SEED, overrides: Overrides | None = None
) -> Checkpoint:
    """Write a model of the entry's shape into an empty folder, and load it from there.

    Args:
        seed: equal seeds make equal weights, with equal versions of torch and transformers.
        overrides: what the user says against the entry.

    Raises:
        InputError: its network cannot be made (code of its own, a mixture of experts, a number of parameters that the
            sizes do not make), or what is asked for cannot be read from it.
        ExportError: it has parts that cannot be exported.
        ArchiveError: the default tokenizer cannot be had.
    """
    _write(spec, folder, seed)
    gc.collect()  # the network that was written, before it is read
    entry = replace(spec, source=FolderSource(folder), revision=revision(seed), ran=())
    loaded = catalogued_folder.load(entry, overrides)
    note = _note(seed)
    made = replace(loaded.spec, source=spec.source, notes=(note, *spec.notes))
    return replace(loaded, spec=made, notes=(note, *loaded.notes))


def _write(spec: ModelSpec, folder: Path, seed: int) -> None:
    import torch

    kind, config = network_kind(spec)
    folder.mkdir(parents=True, exist_ok=True)
    with quiet_transformers(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        kind(config).save_pretrained(folder)
        write_modules(spec, folder)
    # The class that the entry's own folder names, which may have a head that an embedder is loaded without.
    stated = read_object(folder / "config.json", required=True)
    architecture = spec.network.architecture if spec.network else kind.__name__
    write_json(folder / "config.json", stated | {"architectures": [architecture]})
    (folder / "tokenizer.json").write_bytes(stand_in(spec))


def _note(seed: int) -> str:
    return (
        f"RANDOM WEIGHTS (seed {seed}) in the true shape, and a stand-in for the tokenizer: vectors and scores mean "
        "nothing, only speed, memory and parity with torch do"
    )
