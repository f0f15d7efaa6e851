"""A text is one text to the client, too, in whichever of Unicode's forms it was written."""

from __future__ import annotations

import hashlib
import unicodedata
from pathlib import Path

import pytest

from interlingua.base.errors import InputError
from interlingua_client.corpus import Corpus
from interlingua_client.document import Document
from interlingua_client.search.query_language import LanguageDetector
from tests.support.written_repository import service_spec

KOREAN = "비밀번호를 잊어버렸어요"
IN_PARTS = unicodedata.normalize("NFD", KOREAN)


def test_a_document_is_the_same_in_every_form() -> None:
    document = Document("a", "ko", KOREAN, "pass\u00adword")
    assert document.digest == Document("a", "ko", IN_PARTS, "password").digest
    assert document.digest != Document("a", "ko", KOREAN, "pass-word").digest


def test_plain_documents_keep_their_digests() -> None:
    """BLAKE2b of the JSON, as indexes have it that were made before there was one form."""
    content = '["ko", "' + KOREAN + '", "Hi"]'
    assert Document("a", "ko", KOREAN, "Hi").digest == hashlib.blake2b(content.encode(), digest_size=16).digest()


@pytest.mark.parametrize(("text", "tag"), [(IN_PARTS, "ko"), ("ｶﾞｷﾞﾊﾟｽﾜｰﾄﾞｦﾜｽﾚﾏｼﾀ", "ja")])
def test_the_language_is_found_in_every_form(text: str, tag: str) -> None:
    assert LanguageDetector(["en", "ja", "ko", "zh-Hans", "vi"]).detect(text).tag == tag


def test_as_much_of_a_document_is_sent_in_every_form() -> None:
    spec = service_spec(network="n", digest="d", dimension=4, max_text_bytes=20)
    assert spec.shortened(IN_PARTS) == spec.shortened(KOREAN) == KOREAN[:7]


def test_a_document_of_nothing_that_is_read_has_no_text(tmp_path: Path) -> None:
    path = tmp_path / "c.jsonl"
    path.write_text('{"id": "a", "text": "\\u200b\\u00ad "}\n', encoding="utf-8")
    with pytest.raises(InputError, match="line 1"):
        list(Corpus(path, lambda _: "en"))
