"""The library's own reading of a late-interaction folder.

LibraryFolder --loaded_library--> MultiVectorEncoder
"""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from interlingua_exporter.graphs.folder_network import quiet_transformers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from interlingua.served.late_interaction.sides import LateInteraction
    from interlingua_exporter.graphs.checkpoint import LibraryFolder

LIBRARY = "sentence-transformers"


def loaded_library(interaction: LateInteraction, library: LibraryFolder, *, remote_code: bool) -> Any:
    """A MultiVectorEncoder with our lengths; raises whatever the library does with a folder it cannot use."""
    from sentence_transformers import MultiVectorEncoder

    with quiet_library():
        theirs: Any = (
            _with_head(library)
            if library.head is not None
            else MultiVectorEncoder(str(library.folder), **_settings(remote_code=remote_code))
        )
    if interaction.query.expansion is None:
        theirs[0].query_length = interaction.query.max_tokens
    theirs[0].document_length = interaction.document.max_tokens
    return theirs


def _with_head(library: LibraryFolder) -> Any:
    """The library's own modules with a head that lies beside an embedder's weights, which it does not read itself."""
    import torch
    from sentence_transformers import MultiVectorEncoder
    from sentence_transformers.base.modules import Dense, Normalize, Transformer
    from sentence_transformers.multi_vector_encoder.modules import MultiVectorMask

    head = torch.load(str(library.head), map_location="cpu", weights_only=True)
    outputs, inputs = head["weight"].shape
    dense = Dense(
        inputs,
        outputs,
        activation_function=None,
        init_weight=head["weight"].float(),
        init_bias=head["bias"].float(),
        module_input_name="token_embeddings",
    )
    mask = MultiVectorMask(["<s>"], skiplist_tasks=["query", "document"])
    transformer = Transformer(str(library.transformer), model_kwargs={"dtype": torch.float32})
    modules = [transformer, dense, mask, Normalize(module_input_name="token_embeddings")]
    return MultiVectorEncoder(modules=modules, device="cpu", similarity_fn_name="meanmaxsim")


def _settings(*, remote_code: bool) -> dict[str, Any]:
    import torch

    return {
        "device": "cpu",
        "local_files_only": True,
        "trust_remote_code": remote_code,
        "model_kwargs": {"dtype": torch.float32},
    }


@contextmanager
def quiet_library() -> Iterator[None]:
    """Silences the library's warnings and progress: what matters of them is told here."""
    logger = logging.getLogger(LIBRARY.replace("-", "_"))
    level = logger.level
    try:
        logger.setLevel(logging.ERROR)
        with quiet_transformers():
            yield
    finally:
        logger.setLevel(level)
