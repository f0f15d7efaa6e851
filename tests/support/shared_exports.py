"""torch writes each network as ONNX once, whichever worker or command asks first: it takes seconds.

    checkpoint --pickled--> key --> <a folder>/KEY/{model.onnx, model.onnx.data} --copied--> the asker's folder

The key holds the whole network, weights and settings, but no path of a temporary folder: they differ from test to test.
One that cannot be pickled is exported anew. Small networks are kept for later runs of the same code in
`build/test-exports/CODE`, the others, and those whose code is a test's own, in the run's folder.
"""

from __future__ import annotations

import hashlib
import io
import os
import pickle
import shutil
import sys
import tempfile
import time
from contextlib import suppress
from functools import wraps
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

from tests.support.once import once

PLACES = "INTERLINGUA_TEST_EXPORTS"  # the three folders, for the processes that tests start
_SMALL = 1 << 24  # bytes of weights
_UNUSED_S = 86_400.0


def share_exports(of_run: Path, kept: Path, scratch: Path) -> None:
    """From now on, in this process: `export_onnx` looks into `of_run` or `kept` first."""
    from interlingua.served.graph_names import MODEL_FILE
    from interlingua_exporter.graphs.onnx import onnx_graph

    torch_export = onnx_graph.export_onnx

    @wraps(torch_export)
    def export_once(checkpoint: Any, target: Path) -> Path:
        key = _key(checkpoint, str(scratch))
        if key is None:
            return torch_export(checkpoint, target)
        place = (kept if _is_kept(checkpoint) else of_run) / key
        made = once(place, lambda fresh: torch_export(checkpoint, fresh), _is_whole)
        return shutil.copytree(made, target, dirs_exist_ok=True) / MODEL_FILE

    onnx_graph.export_onnx = export_once
    os.environ[PLACES] = os.pathsep.join(map(str, (of_run, kept, scratch)))


def kept_exports(root: Path) -> Path:
    """`root/CODE`, for the code and the processor of now; what no run has used for a day is removed from `root`."""
    import torch

    import interlingua.served
    import interlingua_exporter

    code = hashlib.sha256(f"{sys.version} {torch.backends.cpu.get_cpu_capability()}".encode())
    for line in sorted({f"{installed.name} {installed.version}" for installed in distributions()}):
        code.update(line.encode())
    for package in (interlingua.served, interlingua_exporter):
        (top,) = map(Path, package.__path__)
        for source in sorted(top.rglob("*.py")):
            code.update(str(source.relative_to(top)).encode() + source.read_bytes())
    folder = root / code.hexdigest()[:16]
    folder.mkdir(parents=True, exist_ok=True)
    os.utime(folder)
    for other in root.iterdir():
        with suppress(FileNotFoundError):  # another worker sweeps, too
            if other != folder and other.stat().st_mtime < time.time() - _UNUSED_S:
                shutil.rmtree(other, ignore_errors=True)
    return folder


def _is_whole(folder: Path) -> bool:
    """Whether an export has its network, and no file of it is empty, as after a full disk or a power cut."""
    from interlingua.served.graph_names import MODEL_FILE

    return (folder / MODEL_FILE).is_file() and all(path.stat().st_size for path in folder.iterdir())


def _is_kept(checkpoint: Any) -> bool:
    """Whether a network is small, and all of its code counts in the name of the folder."""
    code = {type(module).__module__.partition(".")[0] for module in checkpoint.graph.modules()}
    weights = sum(value.nbytes for value in checkpoint.graph.state_dict().values())
    return weights < _SMALL and code <= {"torch", "transformers", "interlingua", "interlingua_exporter"}


def _key(checkpoint: Any, scratch: str) -> str | None:
    """Of all that the ONNX file depends on; None for a network that cannot be pickled."""
    content = io.BytesIO()
    pickler = _Pickler(content, scratch)
    try:
        pickler.dump((checkpoint.inputs, checkpoint.output, checkpoint.vocabulary, checkpoint.spec.max_tokens))
        pickler.dump(checkpoint.graph)
    except (pickle.PicklingError, AttributeError, RuntimeError, TypeError, ValueError):
        return None
    return hashlib.sha256(content.getvalue()).hexdigest()


class _Pickler(pickle.Pickler):
    """Writes a tensor as its digest and whether it is the same as one before, a set in order, whatever the process's
    hashes, and all temporary paths alike."""

    def __init__(self, file: io.BytesIO, scratch: str) -> None:
        super().__init__(file)
        self.fast = True  # equal values give equal bytes, whether they are one object or two
        self._places = (scratch, tempfile.gettempdir())
        self._numbers: dict[int, int] = {}

    def persistent_id(self, value: Any) -> Any:
        import torch

        if isinstance(value, torch.Tensor):
            raw = value.detach().contiguous().reshape(-1).view(torch.uint8)
            number = self._numbers.setdefault(value.data_ptr(), len(self._numbers))
            facts = (type(value).__name__, str(value.dtype), tuple(value.shape), value.stride(), value.requires_grad)
            return "tensor", number, facts, hashlib.sha256(raw.numpy().tobytes()).hexdigest()
        if isinstance(value, set | frozenset):
            return type(value).__name__, sorted(value, key=repr)
        if isinstance(value, str) and value.startswith(self._places):
            return "path"
        return None
