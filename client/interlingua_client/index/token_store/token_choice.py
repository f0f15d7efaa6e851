"""Which token vectors an index is to have, decided when it is opened for writing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from interlingua.base.errors import InputError
from interlingua_client.index.document_store import StoreDamagedError
from interlingua_client.index.token_store.quantization import DEFAULT_FORMAT, FORMATS, NO_TOKENS, require_choice
from interlingua_client.index.token_store.token_facts import TokenFacts
from interlingua_client.index.token_store.token_file import remove_token_files
from interlingua_client.index.token_store.token_tables import TokenTables

if TYPE_CHECKING:
    from interlingua_client.index.document_store import DocumentStore
    from interlingua_client.token_encoder import EncoderIdentity


def require_tokens(wanted: str | None, served: EncoderIdentity | None) -> None:
    """Raises InputError: what is wanted (as for `choose_tokens`) is no choice, or nothing is there to make it."""
    if wanted is not None and require_choice(wanted) != NO_TOKENS and served is None:
        raise InputError(
            f"token vectors ({wanted}) are wanted, and the server has no late-interaction reranker to make them: "
            "export one, or leave --token-vectors out"
        )


def choose_tokens(store: DocumentStore, wanted: str | None, served: EncoderIdentity | None) -> None:
    """Begin with token vectors, change them or take them out; what is there already and fits is kept.

    Args:
        wanted: a format, or "none"; None for what the index has, and for the default where it has no documents.
        served: the encoder that is there.

    Raises:
        InputError: it is neither, or token vectors are wanted and nothing is there to make them.
    """
    require_tokens(wanted, served)
    tables = TokenTables(store)
    if wanted is None:
        is_undecided = not tables.exist() and (tables.had_former() or not store.languages())
        if served is None or not is_undecided:
            return
        wanted = DEFAULT_FORMAT
    if wanted == NO_TOKENS or served is None:
        tables.drop()
        remove_token_files(store.directory, but=())
        return
    _have(
        tables,
        TokenFacts(
            reranker=served.digest, model_id=served.model_id, dimension=served.dimension, format=FORMATS[wanted]
        ),
    )


def _have(tables: TokenTables, wanted: TokenFacts) -> None:
    """Go on with the set of this kind, in the making or in use, or begin one; the one in use stays meanwhile."""
    try:
        sets = tables.sets()
    except StoreDamagedError:  # they are made again
        tables.drop()
        sets = []
    kind = (wanted.reranker, wanted.format)
    same = next((facts for facts in reversed(sets) if (facts.reranker, facts.format) == kind), None)
    if same is None:
        tables.begin(wanted)
    elif same is not sets[-1]:
        tables.retain(same)
