"""Search and writing over HTTP, in one process: `uvicorn fastapi_service:app`.

POST /documents [{"id": ..., "text": ...}]     GET /search?q=...     DELETE /documents/ID

What was written is committed when the answer comes, and found some seconds later: one task brings the index up to date
and reads it again, however many requests write.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

from fastapi import FastAPI, HTTPException, Request

from interlingua import AsyncIndex, AsyncRetriever, InputError, InterlinguaError, ServerError

INDEX = os.environ.get("INTERLINGUA_INDEX", "var/index")
SERVER = os.environ.get("INTERLINGUA_SERVER", "127.0.0.1:8001")
EVERY_S = float(os.environ.get("INTERLINGUA_EVERY_S", "10"))


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with AsyncIndex.open(INDEX, server=SERVER) as index, AsyncRetriever.open(INDEX, server=SERVER) as retriever:
        app.state.index, app.state.retriever, app.state.is_written = index, retriever, False
        following = asyncio.create_task(follow(app))
        yield
        following.cancel()
        with suppress(asyncio.CancelledError):
            await following


async def follow(app: FastAPI) -> None:
    while True:
        await asyncio.sleep(EVERY_S)
        try:
            if app.state.is_written:
                app.state.is_written = False
                await app.state.index.finish()
            await app.state.retriever.refresh()
        except InterlinguaError as error:
            logging.getLogger(__name__).warning("the index is not up to date: %s", error)


app = FastAPI(lifespan=lifespan)


@app.get("/search")
async def search(request: Request, q: str, k: int = 10) -> dict[str, Any]:
    try:
        result = await request.app.state.retriever.search(q, k=k, deadline_s=1.0)
    except InputError as error:
        raise HTTPException(422, f"{error}") from error
    except ServerError as error:
        raise HTTPException(503, f"{error}") from error
    return result.to_dict()


@app.post("/documents")
async def add(request: Request, documents: list[dict[str, Any]]) -> dict[str, int]:
    try:
        counts = await request.app.state.index.add(documents)
    except InputError as error:
        raise HTTPException(422, f"{error}") from error
    except ServerError as error:
        raise HTTPException(503, f"{error}") from error
    finally:
        request.app.state.is_written = True
    return {"added": counts.added, "changed": counts.changed, "unchanged": counts.unchanged}


@app.delete("/documents/{id_}")
async def delete(request: Request, id_: str) -> dict[str, int]:
    deleted = await request.app.state.index.delete([id_])
    request.app.state.is_written = True
    return {"deleted": deleted}
