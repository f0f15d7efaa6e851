"""Which services a server offers, and in which versions they are to be asked.

ReadConfig, AskReady ... --configurations, what is ready, what was promoted--> Services, versions pinned
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from interlingua.base.errors import ServerError
from interlingua.served.service import EMBED_DOCUMENT, EMBED_QUERY, ENCODE_DOCUMENT_TOKENS, ENCODE_QUERY_TOKENS, RERANK
from interlingua_client.triton.conversation_steps import AskReady, AskServerReady, ReadConfig, Steps, time_left
from interlingua_client.triton.server_failures import RpcFailedError, is_unknown_model, translated
from interlingua_client.triton.services import ModelConfig, PinnedService, Services

if TYPE_CHECKING:
    from interlingua_client.deadline import Deadline
    from interlingua_client.triton.server_address import ServerAddress


class ServiceSearch:
    """What is looked for on one server."""

    def __init__(
        self, address: ServerAddress, digest: str | None, version: int | None, rerank_version: int | None
    ) -> None:
        """Takes the same as `Conversation`."""
        self._address = address
        self._wanted_digest = digest
        self._version, self._rerank_version = version, rerank_version
        self._lacks = False

    def services(self) -> Steps[Services]:
        """What the server offers, in the versions that are to be asked.

        Raises:
            ServerError: the server is away, or does not serve what is needed.
        """
        self._lacks = False
        query = yield from self._required(EMBED_QUERY)
        document = yield from self._required(EMBED_DOCUMENT)
        version = yield from self._embed_version(query, document)
        rerank = yield from self.reranker()
        sides = (yield from self._sides(rerank)) if rerank else ()
        return Services(PinnedService.of(query, version), PinnedService.of(document, version), rerank, *sides)

    def is_loading(self) -> Steps[bool]:
        """Whether something was missing, and the server says that it is not ready, or has just ended."""
        if not self._lacks:
            return False
        try:
            return not (yield AskServerReady(time_left(None)))
        except RpcFailedError as error:
            return error.code == "UNAVAILABLE"

    def _required(self, model: str) -> Steps[ModelConfig]:
        config = yield from self.config(model)
        if config is None:
            raise ServerError(f"{self._address.target} serves no {model}: publish one with `interlingua export`")
        return config

    def _embed_version(self, query: ModelConfig, document: ModelConfig) -> Steps[int]:
        """A version that is ready in both services: the wanted one, else the promoted one, else the highest."""
        of_query, of_document = query.specs(), document.specs()
        ready = yield from self._ready_versions((query, document), set(of_query) & set(of_document))
        if not ready:
            raise ServerError(
                f"{self._address.target} has no version of {EMBED_QUERY} and {EMBED_DOCUMENT} that is ready: "
                "look at the server's log"
            )
        wanted = [version for version in ready if of_query[version].digest == self._wanted_digest]
        version = wanted[0] if wanted and self._version is None else self._chosen(query, ready, self._version)
        if of_query[version].digest != of_document[version].digest:
            raise ServerError(
                f"{EMBED_QUERY} and {EMBED_DOCUMENT} version {version} belong to different embedders "
                f"({of_query[version].digest} and {of_document[version].digest}): export the model again"
            )
        return version

    def reranker(self) -> Steps[PinnedService | None]:
        """The version to ask: the wanted one, else the promoted one, else the highest; None where there is none."""
        config = yield from self.config(RERANK)
        if config is None:
            return None
        ready = yield from self._ready_versions((config,), config.specs())
        if not ready and self._rerank_version is None:
            return None
        return PinnedService.of(config, self._chosen(config, ready, self._rerank_version))

    def _sides(self, rerank: PinnedService) -> Steps[tuple[PinnedService, ...]]:
        """What encodes the reranker's queries and documents apart: both services in its version, or neither."""
        if not rerank.spec.interaction:
            return ()
        found = []
        for model in (ENCODE_QUERY_TOKENS, ENCODE_DOCUMENT_TOKENS):
            config = yield from self.config(model)
            if config is None or rerank.version not in config.specs():
                return ()
            if not (yield from self._ready_versions((config,), [rerank.version])):
                return ()
            found.append(PinnedService.of(config, rerank.version))
        if found[0].spec.digest != found[1].spec.digest:
            raise ServerError(
                f"{ENCODE_QUERY_TOKENS} and {ENCODE_DOCUMENT_TOKENS} version {rerank.version} belong to different "
                f"rerankers ({found[0].spec.digest} and {found[1].spec.digest}): export the model again"
            )
        return tuple(found)

    def _chosen(self, model: ModelConfig, ready: Sequence[int], wanted: int | None) -> int:
        """The version wanted, else the one that was promoted, else the highest."""
        if wanted is None:
            promoted = model.current
            return promoted if promoted is not None and promoted in ready else ready[0]
        if wanted not in ready:
            there = ", ".join(str(version) for version in sorted(ready)) or "none"
            raise ServerError(
                f"{self._address.target} has no version {wanted} of {model.name} that is ready, but {there}: "
                f"load it with `interlingua publish {wanted}`"
            )
        return wanted

    def _ready_versions(self, models: Sequence[ModelConfig], versions: Iterable[int]) -> Steps[list[int]]:
        """The versions that are ready in all the models, highest first."""
        ready = []
        for version in sorted(versions, reverse=True):
            for model in models:
                if not (yield from self._is_ready(model.name, version)):
                    self._lacks = True
                    break
            else:
                ready.append(version)
        return ready

    def config(self, model: str, deadline: Deadline | None = None) -> Steps[ModelConfig | None]:
        """The configuration, or None where the server does not have the model."""
        try:
            config: ModelConfig = yield ReadConfig(model, time_left(deadline))
        except RpcFailedError as error:
            if is_unknown_model(error):
                self._lacks = True
                return None
            raise translated(error, self._address.target, deadline) from error
        return config

    def _is_ready(self, model: str, version: int) -> Steps[bool]:
        try:
            return bool((yield AskReady(model, version, time_left(None))))
        except RpcFailedError as error:
            if is_unknown_model(error):
                return False
            raise translated(error, self._address.target, None) from error
