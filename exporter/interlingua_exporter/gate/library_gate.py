"""The gate's other reference: what the libraries make of the very same folder.

folder --AutoTokenizer--> token ids of every text     \
folder --sentence-transformers--> vectors, scores      > Libraries: Figures, each with its bound, and who was asked
torch's answers, the services' token ids              /

torch and the published network share our reading of the folder, and are blind to a mistake in it. A library reads the
folder by itself; it is asked before the network is opened, and let go of, so that memory holds two copies at a time.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

from tokenizers import normalizers

from interlingua.base.errors import ExportError
from interlingua.repository.text_encoder import Framed
from interlingua.served.service import EMBED_DOCUMENT, EMBED_QUERY, RERANK
from interlingua_exporter.gate.answering import asked_of
from interlingua_exporter.gate.figures import GateFigure, relative_errors, worst
from interlingua_exporter.gate.library_answers import answers
from interlingua_exporter.gate.multi_vector_library import ask_multi_vector
from interlingua_exporter.gate.signature import check_vocabulary
from interlingua_exporter.gate.torch_answers import torch_answers
from interlingua_exporter.texts.library_texts import PROBES, NamedText, added_texts, window_texts
from interlingua_exporter.texts.parity_texts import LONGEST, Sample, parity_set, sentences
from interlingua_exporter.texts.text_frame import frame_of
from interlingua_exporter.weights.library_tokenizer import load_tokenizer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from interlingua.repository.text_encoder import TextEncoder
    from interlingua.served.text.tokenizer import Tokens
    from interlingua_exporter.graphs.checkpoint import Checkpoint, LibraryFolder
    from interlingua_exporter.models.spec import ModelSpec

_BOUND = 1e-3  # sums in another order differ by 1e-6; another prompt, pooling or cut by 0.05 and more
_QUESTION = "École, où?"
_SENTENCE_TRANSFORMERS = "sentence-transformers"


@dataclass(frozen=True)
class Libraries:
    """What the libraries say.

    Attributes:
        asked: each with its version, and what of it; a library that could not be asked, with the reason.
    """

    figures: tuple[GateFigure, ...] = ()
    asked: tuple[str, ...] = ()


def ask_libraries(checkpoint: Checkpoint) -> Libraries:
    """Compare a checkpoint with the libraries that read its folder.

    Raises:
        ExportError: ids or answers are others than theirs; the message says on which text.
        InputError: the tokenizer gives ids that the network does not have.
    """
    library = checkpoint.library
    if library is None or not library.transformer.is_dir():
        return Libraries()
    if checkpoint.interaction:
        asked_figures, asked = ask_multi_vector(checkpoint, checkpoint.interaction, library)
        return Libraries(asked_figures, (asked,))
    encoder = checkpoint.text_encoder()
    found = [_ids(checkpoint, library, encoder), _values(checkpoint, library, encoder)]
    figures = tuple(figure for libraries in found for figure in libraries.figures)
    if faults := [figure.describe() for figure in figures if not figure.passed]:
        where = f"what the libraries make of {library.folder}"
        raise ExportError(f"{checkpoint.spec.id} is not {where}, nothing was published: {'; '.join(faults)}")
    return Libraries(figures, tuple(text for libraries in found for text in libraries.asked))


def _ids(checkpoint: Checkpoint, library: LibraryFolder, encoder: TextEncoder) -> Libraries:
    """Token ids, and types where the network takes them, of every text of the gate and of those below."""
    spec = checkpoint.spec
    try:
        theirs = load_tokenizer(library.transformer, remote_code=spec.remote_code)
    except Exception as error:  # as many kinds as there are tokenizers
        reason = str(error).strip().split("\n", 1)[0] or type(error).__name__
        return Libraries(asked=(f"no tokenizer of transformers: it cannot read the folder's ({reason})",))
    if library.lowercase:
        steps = [normalizers.Lowercase(), theirs.backend_tokenizer.normalizer]
        theirs.backend_tokenizer.normalizer = normalizers.Sequence([step for step in steps if step])
    samples = [*parity_set(spec, encoder).samples, *_more(checkpoint, encoder, theirs)]
    rows = encoder.encode([sample.text for sample in samples])
    check_vocabulary(checkpoint, rows)
    unlike = [
        sample.describe()
        for sample, row in zip(samples, rows, strict=True)
        if not _is_same(row, sample.text, theirs, checkpoint)
    ]
    unlike += _structured(checkpoint, encoder, theirs)
    figure = GateFigure(
        name="texts with other token ids",
        worst=float(len(unlike)),
        mean=len(unlike) / len(samples),
        sense="<=",
        bound=0.0,
        where=unlike[0] if unlike else f"of {len(samples)}",
    )
    return Libraries((figure,), (f"transformers {version('transformers')} ({type(theirs).__name__})",))


def _more(checkpoint: Checkpoint, encoder: TextEncoder, theirs: Any) -> Iterator[Sample]:
    """What plain sentences do not show."""
    spec = checkpoint.spec
    added = theirs.added_tokens_decoder.values()
    plain = [token.content for token in added if not token.special and token.content.strip()]
    for service in _services(checkpoint):
        framed = _framing(spec, service)
        for named in (*PROBES, *added_texts(plain), *window_texts(encoder, framed, spec.max_tokens)):
            yield Sample(service, named.name, framed(named.text))


def _structured(checkpoint: Checkpoint, encoder: TextEncoder, theirs: Any) -> Iterator[str]:
    """The texts in which a special token became one: the libraries take it for one, and a service must not."""
    special = set(theirs.all_special_ids) - {theirs.unk_token_id}
    for service in _services(checkpoint):
        framed = _framing(checkpoint.spec, service)
        for named in added_texts(theirs.all_special_tokens):
            bare, row = (
                sorted(special.intersection(made.ids)) for made in encoder.encode([framed("word"), framed(named.text)])
            )
            if row != bare:
                yield f"{service}, {named.name}, of which one became a token"


def _framing(spec: ModelSpec, service: str) -> Callable[[str], Framed]:
    """What a service puts around a text, a question too where it takes pairs."""
    frame = frame_of(spec, service)
    return lambda text: Framed((_QUESTION, text) if service == RERANK else text, frame)


def _services(checkpoint: Checkpoint) -> tuple[str, ...]:
    return (EMBED_QUERY, EMBED_DOCUMENT) if checkpoint.spec.role == "embedder" else (RERANK,)


def _is_same(row: Tokens, framed: Framed, theirs: Any, checkpoint: Checkpoint) -> bool:
    text, frame, limit = framed.text, framed.frame, checkpoint.spec.max_tokens
    if framed.template:
        return len(row) >= limit or list(row.ids) == theirs(_filled(framed))["input_ids"]
    parts = text if isinstance(text, tuple) else (frame.prompt + text,)
    made = theirs(*parts, truncation=True, max_length=limit)
    types = made.get("token_type_ids") if "token_type_ids" in checkpoint.inputs else None
    return list(row.ids) == made["input_ids"] and (types is None or list(row.type_ids) == types)


def _filled(framed: Framed) -> str:
    """The template with the texts in it."""
    text = framed.text
    holes = {"query": text[0], "document": text[1]} if isinstance(text, tuple) else {"text": framed.frame.prompt + text}
    made = framed.template
    for hole, value in holes.items():
        made = made.replace(f"{{{hole}}}", value)
    return made


def _values(checkpoint: Checkpoint, library: LibraryFolder, encoder: TextEncoder) -> Libraries:
    """Vectors or scores of some texts in every language, and of the longest."""
    if library.unasked:
        return Libraries(asked=(f"no answers of {_SENTENCE_TRANSFORMERS}: {library.unasked}",))
    try:
        release = version(_SENTENCE_TRANSFORMERS)
    except PackageNotFoundError:
        return Libraries(asked=(f"no answers of {_SENTENCE_TRANSFORMERS}: it is not installed",))
    samples = list(_some(checkpoint, encoder))
    rows = encoder.encode([sample.text for sample in samples])
    check_vocabulary(checkpoint, rows)
    if checkpoint.spec.role == "reranker":
        kept = [place for place, row in enumerate(rows) if _is_answered(row, samples[place], checkpoint)]
        samples, rows = [samples[place] for place in kept], [rows[place] for place in kept]
    if not samples:
        return Libraries(
            asked=(f"no answers of {_SENTENCE_TRANSFORMERS}: its texts are cut elsewhere, or end in the id that pads",)
        )
    try:
        theirs = answers(checkpoint, library, samples)
    except Exception as error:  # the library's own, transformers', torch's
        reason = str(error).strip().split("\n", 1)[0] or type(error).__name__
        return Libraries(asked=(f"no answers of {_SENTENCE_TRANSFORMERS}: it cannot use the folder ({reason})",))
    errors = relative_errors(
        torch_answers(checkpoint, asked_of(checkpoint, encoder, [sample.text for sample in samples])),
        theirs,
        checkpoint.spec.role,
    )
    describe = [f"{sample.describe()} ({len(row)} tokens)" for sample, row in zip(samples, rows, strict=True)]
    figure = worst(f"error against {_SENTENCE_TRANSFORMERS}", errors, _BOUND, describe)
    return Libraries((figure,), (f"{_SENTENCE_TRANSFORMERS} {release} ({len(samples)} texts)",))


def _is_answered(row: Tokens, sample: Sample, checkpoint: Checkpoint) -> bool:
    """Whether the library reads the same tokens: it cuts templates elsewhere, and tells padding by its id."""
    whole = not sample.text.template or len(row) < checkpoint.spec.max_tokens
    return whole and (bool(checkpoint.spec.score_tokens) or row.ids[-1] != checkpoint.pad_token_id)


def _some(checkpoint: Checkpoint, encoder: TextEncoder) -> Iterator[Sample]:
    spec, rows = checkpoint.spec, sentences()
    for number, service in enumerate(_services(checkpoint)):
        framed = _framing(spec, service)
        texts = [NamedText(language, text) for language, text in rows[number].items()]
        long = window_texts(encoder, framed, spec.max_tokens) if spec.max_tokens <= LONGEST else ()
        for named in (*texts, *PROBES, *long):
            yield Sample(service, named.name, framed(named.text))
