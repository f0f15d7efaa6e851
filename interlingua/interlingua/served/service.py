"""What a published service says about itself.

The exporter writes a `ServiceSpec` into the `parameters` of the service's config.pbtxt; the text backend, the client
and the planner read it back. Triton has one config.pbtxt a model but many versions, so every key carries its
version: `1/prompt`, `1/digest`, ...

    exporter -- to_parameters() --> config.pbtxt --> Triton --> from_parameters() --> client, text backend
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING

from interlingua.served.limits import OUTSTANDING_CALLS
from interlingua.served.text.normal_form import normal_form

if TYPE_CHECKING:
    from collections.abc import Mapping

EMBED_QUERY = "embed_query"
EMBED_DOCUMENT = "embed_document"
RERANK = "rerank"
# What a late-interaction reranker compares, each side apart (token_vectors.py).
ENCODE_QUERY_TOKENS = "encode_query_tokens"
ENCODE_DOCUMENT_TOKENS = "encode_document_tokens"
BULK_SERVICES = (EMBED_DOCUMENT, ENCODE_DOCUMENT_TOKENS)  # documents are indexed: nobody waits in person
# Parameters of a service, the same for all its versions.
LANES = "outstanding_calls"
LONGEST_WAIT = "default_deadline_s"
SPARE_CALLS = "spare_calls"
SPARE_INSTANCES = "spare_instances"  # of a network

_DEADLINES_S = dict.fromkeys(BULK_SERVICES, 30.0)
_SOON_S = 10.0


@dataclass(frozen=True)
class Frame:
    """What a service puts around a text before it is tokenized (text/template.py).

    Attributes:
        prompt: in front of a single text, inside the template; a pair has none.
        template: the whole around `{text}`, or around `{query}` and `{document}`; "" for none. A text in it never
            becomes a special token, and truncation cuts the document, then the query, never the template.
    """

    prompt: str = ""
    template: str = ""


@dataclass(frozen=True, kw_only=True)
class ServiceSpec:
    """One version of one service.

    Attributes:
        network: the Triton model this service calls, in the same version.
        network_inputs: comma-separated names of the network's inputs, in its own order.
        model_id: the catalogue's or the folder's name for the weights.
        revision: the pinned revision of the weights, or "" where there is none.
        precision: fp32, fp16, bf16 or int8.
        digest: SHA-256 over all that decides an answer (network file, tokenizer, prompts, templates, truncation).
            `embed_query` and `embed_document` of one model share it: equal digests, one vector space.
        dimension: length of an embedding, or of a token's vector; 0 for a reranker.
        prompt: text put before every single text (`Frame`).
        max_tokens: longer texts are truncated to this many tokens, specials included.
        max_batch_tokens: padded tokens that one call to the network may hold.
        max_text_bytes: UTF-8 bytes of one text beyond which the service refuses it.
        pad_token_id: id that fills a batch up to its longest text.
        padding_side: right or left.
        rerank_weight: share of a reranker's score in the final one, 0 to 1 (interlingua_client/search/score_mixing.py);
            services that were published before there was such a thing do not state it, and have 1.0.
        template: text around every text or pair, "" for none (`Frame`); services that were published before there were
            templates do not state it.
        scripts: comma-separated scripts (scripts.py) that the tokenizer knows; "" where it is not said.
        interaction: of a late-interaction model, how it reads and weighs its sides, as JSON
            (late_interaction/sides.py); "" of others.
        empty_similarity: what each row's maximum counts as where a document has no row.
        language_vectors: of `embed_document`, where the model puts each language (language_vectors.py); "" where that
            was not measured.
    """

    network: str
    network_inputs: str
    model_id: str
    revision: str
    precision: str
    digest: str
    dimension: int
    prompt: str
    max_tokens: int
    max_batch_tokens: int
    max_text_bytes: int
    pad_token_id: int
    padding_side: str
    rerank_weight: float = 1.0
    template: str = ""
    scripts: str = ""
    interaction: str = ""
    empty_similarity: float = -1.0
    language_vectors: str = ""

    @property
    def frame(self) -> Frame:
        return Frame(self.prompt, self.template)

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the network's inputs, in its own order."""
        return tuple(self.network_inputs.split(","))

    def shortened(self, text: str) -> str:
        """The beginning, in its normal form, that the service takes: what a client sends of a document."""
        text = normal_form(text)
        if 4 * len(text) <= self.max_text_bytes:
            return text
        return text.encode()[: self.max_text_bytes].decode(errors="ignore")

    def to_parameters(self, version: int) -> dict[str, str]:
        """The config.pbtxt parameters of this version."""
        stated = asdict(self)
        if not self.interaction:
            stated = {name: value for name, value in stated.items() if name not in _OF_INTERACTION}
        if not self.language_vectors:
            del stated["language_vectors"]
        return {f"{version}/{name}": str(value) for name, value in stated.items()}

    @classmethod
    def from_parameters(cls, parameters: Mapping[str, str], version: int) -> ServiceSpec:
        """Read one version back.

        Raises:
            KeyError: naming the first key that is missing.
            ValueError: a number is none, or out of its range.
        """
        stated = {f"{version}/{name}": value for name, value in _WHEN_MISSING.items()} | dict(parameters)
        raw = {field.name: stated[f"{version}/{field.name}"] for field in fields(cls)}
        whole = {name: int(raw.pop(name)) for name in _INTEGERS}
        weight = _share("rerank_weight", raw.pop("rerank_weight"))
        empty = float(raw.pop("empty_similarity"))
        return cls(**raw, **whole, rerank_weight=weight, empty_similarity=empty)  # type: ignore[arg-type]


_INTEGERS = ("dimension", "max_tokens", "max_batch_tokens", "max_text_bytes", "pad_token_id")
_WHEN_MISSING = {
    "rerank_weight": "1.0",
    "template": "",
    "scripts": "",
    "interaction": "",
    "empty_similarity": "-1.0",
    "language_vectors": "",
}
_OF_INTERACTION = ("interaction", "empty_similarity")


def _share(name: str, value: str) -> float:
    number = float(value)
    if not 0 <= number <= 1:
        raise ValueError(f"{name} is {value}, not from 0 to 1")
    return number


def not_as_exported(where: object, error: Exception) -> str:
    """What to say of a configuration that lacks a parameter, or has an impossible one."""
    return f"{where}: not as `interlingua export` writes it ({error!r}): export again"


def published_versions(parameters: Mapping[str, str]) -> list[int]:
    """The versions that have parameters, ascending."""
    prefixes = {key.split("/", 1)[0] for key in parameters if key.endswith("/digest")}
    return sorted(int(prefix) for prefix in prefixes if prefix.isdigit())


def outstanding_calls(parameters: Mapping[str, str]) -> int:
    """Calls to its network that a service keeps under way. Raises ValueError: it is no number."""
    return int(parameters.get(LANES, OUTSTANDING_CALLS))


def spare_calls(parameters: Mapping[str, str]) -> int:
    """Calls beyond those that the network takes at once. Raises ValueError: it is no number."""
    return int(parameters.get(SPARE_CALLS, 0))


def default_deadline_s(name: str) -> float:
    """What `longest_wait_s` is of a service of this name whose configuration does not say."""
    return _DEADLINES_S.get(name, _SOON_S)


def longest_wait_s(parameters: Mapping[str, str], name: str) -> float:
    """Seconds that a service of this name makes nobody wait, without or with a deadline; 0 for no bound.

    Raises:
        ValueError: it is no such number.
    """
    if not (stated := parameters.get(LONGEST_WAIT, "")):
        return default_deadline_s(name)
    try:
        seconds = float(stated)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < float("inf"):
        raise ValueError(f"{LONGEST_WAIT} is {stated!r:.40}, not a number of seconds from 0 on")
    return seconds
