"""What sentence-transformers makes of a late-interaction folder, beside what we do: rows, vectors, scores.

folder --MultiVectorEncoder--> ids, token vectors, similarity      \
folder --our reading--> rows, MultiVectorGraph, MaxSim              > Libraries: Figures, each with its bound

Lengths are set as we read them: the library takes those that a PyLate folder does not state from the text that was
encoded last before saving, and colbert-ai's own from the model's window.
"""

from __future__ import annotations

import gc
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

import numpy as np

from interlingua.base.errors import ExportError
from interlingua.repository.text_encoder import Framed
from interlingua.served.late_interaction.side_vectors import document_vectors, query_vectors
from interlingua.served.text.tokenizer import SideRow
from interlingua.served.token_vectors import max_sim
from interlingua_exporter.gate.figures import GateFigure, worst
from interlingua_exporter.gate.multi_vector_reference import LIBRARY, loaded_library, quiet_library
from interlingua_exporter.texts.library_texts import PROBES, NamedText, window_texts
from interlingua_exporter.texts.parity_texts import LONGEST, sentences

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from interlingua.repository.text_encoder import TextEncoder
    from interlingua.served.late_interaction.sides import LateInteraction, SideRules
    from interlingua_exporter.graphs.checkpoint import Checkpoint, LibraryFolder

    Floats = NDArray[np.float32]

_BOUND = 1e-3  # sums in another order differ by 1e-6; another mark, prompt, mask or cut by 0.05 and more


def ask_multi_vector(
    checkpoint: Checkpoint, interaction: LateInteraction, library: LibraryFolder
) -> tuple[tuple[GateFigure, ...], str]:
    """Figures against the library, and who was asked, or why not.

    Raises:
        ExportError: ids, rows, vectors or scores are others than the library's; the message says on which text.
    """
    if library.unasked:
        return (), f"no answers of {LIBRARY}: {library.unasked}"
    try:
        release = version(LIBRARY)
    except PackageNotFoundError:
        return (), f"no answers of {LIBRARY}: it is not installed"
    try:
        theirs = loaded_library(interaction, library, remote_code=checkpoint.spec.remote_code)
    except Exception as error:  # the library's own, transformers', torch's
        reason = str(error).strip().split("\n", 1)[0] or type(error).__name__
        return (), f"no answers of {LIBRARY}: it cannot use the folder ({reason})"
    encoder = checkpoint.text_encoder()
    sides = [_Asked(checkpoint, encoder, theirs, interaction, is_query=is_query) for is_query in (True, False)]
    figures = (*(figure for side in sides for figure in side.figures()), _scores(checkpoint, interaction, *sides))
    del theirs
    gc.collect()  # its copy of the weights, before the network is opened
    if faults := [figure.describe() for figure in figures if not figure.passed]:
        where = f"what {LIBRARY} makes of {library.folder}"
        raise ExportError(f"{checkpoint.spec.id} is not {where}, nothing was published: {'; '.join(faults)}")
    return figures, f"{LIBRARY} {release} ({sum(len(side.texts) for side in sides)} texts)"


class _Asked:
    """One side's texts, our rows and vectors, and the library's."""

    def __init__(
        self,
        checkpoint: Checkpoint,
        encoder: TextEncoder,
        theirs: Any,
        interaction: LateInteraction,
        *,
        is_query: bool,
    ) -> None:
        rules = interaction.query if is_query else interaction.document
        self.name = "query" if is_query else "document"
        self.texts = list(_texts(encoder, rules, number=0 if is_query else 1))
        self._rows = encoder.encode([Framed(named.text, rules) for named in self.texts])
        self.ours = [_vectors(checkpoint, encoder, row) for row in self._rows]
        if not is_query:
            self.ours = [document_vectors(rows, interaction) for rows in self.ours]
        encode = theirs.encode_query if is_query else theirs.encode_document
        with quiet_library():
            self.theirs = [
                encode([named.text], convert_to_numpy=True, show_progress_bar=False)[0] for named in self.texts
            ]
            self._ids = [_ids(theirs, named.text, self.name) for named in self.texts]

    def figures(self) -> tuple[GateFigure, GateFigure]:
        """Texts with other ids, or another number of vectors; and how far vectors are from the library's."""
        pairs = list(zip(self.texts, self._rows, self._ids, self.ours, self.theirs, strict=True))
        unlike = [
            named.name for named, row, ids, ours, theirs in pairs if list(row.ids) != ids or ours.shape != theirs.shape
        ]
        same = [(named.name, _error(ours, theirs)) for named, _, _, ours, theirs in pairs if ours.shape == theirs.shape]
        rows = GateFigure(
            name=f"{self.name} texts with other rows",
            worst=float(len(unlike)),
            mean=len(unlike) / len(pairs),
            sense="<=",
            bound=0.0,
            where=unlike[0] if unlike else f"of {len(pairs)}",
        )
        errors, names = np.array([error for _, error in same]), [name for name, _ in same]
        return rows, worst(f"{self.name} vectors against {LIBRARY}", errors, _BOUND, names)


def _scores(checkpoint: Checkpoint, interaction: LateInteraction, queries: _Asked, documents: _Asked) -> GateFigure:
    """Our scores of every query with every document, against the library's, over their spread."""
    import torch
    from sentence_transformers.util import maxsim, mean_maxsim

    full = [place for place, rows in enumerate(documents.theirs) if len(rows) and len(documents.ours[place])]
    given = [documents.ours[place] for place in full]
    starts = np.cumsum([0, *map(len, given)])
    flat = np.concatenate(given)
    ours = np.stack(
        [
            max_sim(query_vectors(asked, interaction), flat, starts, checkpoint.empty_similarity)
            for asked in queries.ours
        ]
    )
    score = mean_maxsim if interaction.weighting == "mean" else maxsim
    tensors = [[torch.from_numpy(rows) for rows in found] for found in (queries.theirs, documents.theirs)]
    theirs = score(tensors[0], [tensors[1][place] for place in full]).numpy()
    errors = np.abs(ours - theirs).max(axis=1) / max(float(theirs.std()), 1e-12)
    return worst(f"scores against {LIBRARY}", errors, _BOUND, [named.name for named in queries.texts])


def _vectors(checkpoint: Checkpoint, encoder: TextEncoder, row: Any) -> Floats:
    import torch

    batch = encoder.collate([row], checkpoint.inputs)
    with torch.inference_mode():
        output: Floats = checkpoint.graph(*(torch.from_numpy(batch[name]) for name in checkpoint.inputs)).numpy()[0]
    return output[list(row.kept)] if isinstance(row, SideRow) else output


def _error(ours: Floats, theirs: Floats) -> float:
    """The largest distance of a vector, both of length 1."""
    return float(np.linalg.norm(ours - theirs, axis=1).max(initial=0.0))


def _texts(encoder: TextEncoder, rules: SideRules, *, number: int) -> Sequence[NamedText]:
    texts = [NamedText(language, text) for language, text in sentences()[number].items()]
    texts += [*PROBES, NamedText("nothing", ""), NamedText("signs alone", "?!., -")]
    if rules.max_tokens <= LONGEST:
        texts += window_texts(encoder, lambda text: Framed(text, rules), rules.max_tokens)
    return texts


def _ids(theirs: Any, text: str, task: str) -> list[int]:
    names = ("query",) if task == "query" else ("document", "passage", "corpus")
    prompt = next((theirs.prompts[name] for name in names if name in theirs.prompts), None)
    found: list[int] = theirs.preprocess([text], prompt=prompt, task=task)["input_ids"][0].tolist()
    return found
