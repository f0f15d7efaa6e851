"""Whether the examples of this folder run: each writes or searches the index that is given, on a running server.

python docs/examples/try_examples.py --index var/tried --server 127.0.0.1:8001

It needs langchain-core, llama-index-core, fastapi and httpx beside Interlingua, and makes the index.
"""

from __future__ import annotations

import argparse
import os
import time
from typing import TYPE_CHECKING

from interlingua import Index, Retriever

if TYPE_CHECKING:
    from fastapi.testclient import TestClient

DOCUMENTS = [
    {
        "id": "reset.en",
        "language": "en",
        "title": "Reset",
        "text": "Hold the camera's button for ten seconds.",
        "page": 3,
    },
    {
        "id": "refund.de",
        "language": "de",
        "title": "Erstattung",
        "text": "Das Geld kommt in fünf Tagen zurück.",
        "page": 4,
    },
]
QUESTION = "¿cuándo me devuelven el dinero?"


def main() -> None:
    parser = argparse.ArgumentParser(description="Run every example once.")
    parser.add_argument("--index", required=True)
    parser.add_argument("--server", default="127.0.0.1:8001")
    asked = parser.parse_args()
    os.environ |= {"INTERLINGUA_INDEX": asked.index, "INTERLINGUA_SERVER": asked.server, "INTERLINGUA_EVERY_S": "0.2"}
    with Index.open(asked.index, server=asked.server) as index:
        index.add(DOCUMENTS)
    with Retriever.open(asked.index, server=asked.server) as retriever:
        try_langchain(retriever)
        try_llamaindex(retriever)
    try_fastapi()


def try_langchain(retriever: Retriever) -> None:
    from langchain_retriever import LangChainRetriever

    found = LangChainRetriever(retriever=retriever, k=1).invoke(QUESTION)
    assert [(one.id, one.metadata["page"], one.metadata["language"]) for one in found] == [("refund.de", 4, "de")]
    print("langchain_retriever: found", found[0].id)


def try_llamaindex(retriever: Retriever) -> None:
    from llamaindex_retriever import LlamaIndexRetriever

    found = LlamaIndexRetriever(retriever, k=1).retrieve(QUESTION)
    assert [(one.node_id, one.metadata["page"]) for one in found] == [("refund.de", 4)]
    print("llamaindex_retriever: found", found[0].node_id)


def try_fastapi() -> None:
    from fastapi.testclient import TestClient
    from fastapi_service import app

    with TestClient(app) as client:
        assert client.get("/search", params={"q": QUESTION, "k": 1}).json()["hits"][0]["id"] == "refund.de"
        new = {"id": "vpn.en", "text": "The VPN needs version 5 of the application.", "tenant": "acme"}
        assert client.post("/documents", json=[new]).json() == {"added": 1, "changed": 0, "unchanged": 0}
        await_first_hit(client, "VPN", "vpn.en", is_there=True)
        hit = client.get("/search", params={"q": "VPN", "k": 1}).json()["hits"][0]
        assert hit["metadata"] == {"tenant": "acme"}
        assert client.post("/documents", json=[{"id": "x"}]).status_code == 422
        assert client.get("/search", params={"q": " "}).status_code == 422
        assert client.delete("/documents/vpn.en").json() == {"deleted": 1}
        await_first_hit(client, "VPN", "vpn.en", is_there=False)
    print("fastapi_service: searched, wrote, deleted")


def await_first_hit(client: TestClient, question: str, id_: str, *, is_there: bool) -> None:
    for _ in range(100):
        first = client.get("/search", params={"q": question, "k": 1}).json()["hits"][0]
        if (first["id"] == id_) == is_there:
            return
        time.sleep(0.2)
    raise AssertionError(f"{id_} is {'not found' if is_there else 'found'} after 20 s")


if __name__ == "__main__":
    main()
