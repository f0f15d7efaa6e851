"""torch writes each network as ONNX once in a run, whichever worker or command asks first: it takes seconds.

    checkpoint --pickled--> key --> <run's folder>/KEY/{model.onnx, model.onnx.data} --copied--> the asker's folder

The key holds the whole network, weights and settings, but no path of a temporary folder: they differ from test to test.
One that cannot be pickled is exported anew.
"""

from __future__ import annotations

import hashlib
import io
import os
import pickle
import shutil
import tempfile
from functools import wraps
from pathlib import Path
from typing import Any

from tests.support.once import once

PLACES = "INTERLINGUA_TEST_EXPORTS"  # both folders, for the processes that tests start


def share_exports(folder: Path, scratch: Path) -> None:
    """From now on, in this process: `export_onnx` looks into `folder` first."""
    from interlingua.served.graph_names import MODEL_FILE
    from interlingua_exporter.graphs.onnx import onnx_graph

    torch_export = onnx_graph.export_onnx

    @wraps(torch_export)
    def export_once(checkpoint: Any, target: Path) -> Path:
        key = _key(checkpoint, str(scratch))
        if key is None:
            return torch_export(checkpoint, target)
        made = once(folder / key, lambda fresh: torch_export(checkpoint, fresh))
        return shutil.copytree(made, target, dirs_exist_ok=True) / MODEL_FILE

    onnx_graph.export_onnx = export_once
    os.environ[PLACES] = os.pathsep.join(map(str, (folder, scratch)))


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
    """Writes a tensor as its digest and whether it is the same as one before, and all temporary paths alike."""

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
        if isinstance(value, str) and value.startswith(self._places):
            return "path"
        return None
