"""What is published answers as the libraries do that read the same folder: transformers, sentence-transformers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sentence_transformers import CrossEncoder, SentenceTransformer
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers

from interlingua.base.errors import ExportError
from interlingua.repository.text_encoder import Framed
from interlingua.served.service import EMBED_DOCUMENT, EMBED_QUERY, RERANK
from interlingua_exporter.gate.answering import asked_of
from interlingua_exporter.gate.library_gate import ask_libraries
from interlingua_exporter.gate.torch_answers import torch_answers
from interlingua_exporter.graphs.checkpoint import Checkpoint
from interlingua_exporter.texts.parity_texts import sentences
from interlingua_exporter.texts.text_frame import frame_of
from interlingua_exporter.weights import checkpoint_folder
from interlingua_exporter.weights.checkpoint_folder import Overrides
from tests.exporter.sentence_folders import SAID, TEXTS, edit, said, save_qwen
from tests.support.architecture_models import Tiny, save
from tests.support.tiny_models import MakeFolder

ASKED = ["The QUICK brown Fox at the École", "東京タワー ABC", "naïve ÅNGSTRÖM", " ".join(["Where is it?"] * 60)]


def ours(checkpoint: Checkpoint, service: str, texts: Sequence[Any] = ASKED) -> np.ndarray:
    encoder, frame = checkpoint.text_encoder(), frame_of(checkpoint.spec, service)
    return torch_answers(checkpoint, asked_of(checkpoint, encoder, [Framed(text, frame) for text in texts]))


def theirs(folder: Path) -> SentenceTransformer:
    model = SentenceTransformer(str(folder), device="cpu", local_files_only=True)
    model.tokenizer.pad_token = model.tokenizer.pad_token or model.tokenizer.convert_ids_to_tokens(0)
    return model


def assert_same(folder: Path) -> Checkpoint:
    """Every text's vector, as query and as document, and what the gate says of it."""
    checkpoint, model = checkpoint_folder.load(folder), theirs(folder)
    np.testing.assert_allclose(ours(checkpoint, EMBED_QUERY), model.encode_query(ASKED, batch_size=1), atol=2e-4)
    np.testing.assert_allclose(ours(checkpoint, EMBED_DOCUMENT), model.encode_document(ASKED, batch_size=1), atol=2e-4)
    figures = {figure.name: figure.worst for figure in ask_libraries(checkpoint).figures}
    assert figures["texts with other token ids"] == 0
    assert figures["error against sentence-transformers"] < 1e-3
    return checkpoint


FOLDERS: dict[str, Callable[[Path], None]] = {
    "nothing said": lambda _: None,
    "two prompts": said(SAID, prompts={"query": "ask: ", "document": "doc: "}),
    "no prompt for documents, and a default": said(
        SAID, prompts={"query": "ask: ", "document": ""}, default_prompt_name="query"
    ),
    "null": said(SAID, prompts={"query": None, "document": "doc: "}),
    "a default alone": said(SAID, prompts={"task": "t: "}, default_prompt_name="task"),
    "eight values": said(SAID, truncate_dim=8),
    "lower case": said(TEXTS, do_lower_case=True),
    "a window of its own": said("tokenizer_config.json", model_max_length=32),
    "a shorter window": said(TEXTS, max_seq_length=24),
}


@pytest.mark.parametrize("change", FOLDERS.values(), ids=FOLDERS.keys())
def test_an_embedder_answers_as_sentence_transformers(change: Callable[[Path], None], make_folder: MakeFolder) -> None:
    folder = make_folder("bert", pooling="mean", normalize=True)
    change(folder)
    assert_same(folder)


def test_a_passage_prompt_is_what_the_library_says_it_takes(make_folder: MakeFolder) -> None:
    folder = make_folder("bert", pooling="cls", prompts={"query": "q: ", "passage": "p: "})
    checkpoint = checkpoint_folder.load(folder)
    expected = theirs(folder).encode(ASKED, prompt_name="passage", batch_size=1)
    np.testing.assert_allclose(ours(checkpoint, EMBED_DOCUMENT), expected, atol=2e-4)
    assert len(ask_libraries(checkpoint).figures) == 2


def word_piece(**normalizer: bool) -> bytes:
    """BERT's own kind of tokenizer, trained on parity texts in four languages."""
    specials = ["[PAD]", "[CLS]", "[SEP]", "[UNK]", "[MASK]"]
    tokenizer = Tokenizer(models.WordPiece(unk_token=specials[3]))
    tokenizer.normalizer = normalizers.BertNormalizer(**normalizer)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    trainer = trainers.WordPieceTrainer(vocab_size=600, special_tokens=specials, show_progress=False)
    tokenizer.train_from_iterator(
        [row[language] for row in sentences() for language in ("en", "es", "fr", "ja")], trainer
    )
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 1), ("[SEP]", 2)]
    )
    assert tokenizer.get_vocab_size() <= 600  # the tiny network's
    text: str = tokenizer.to_str()
    return text.encode()


DISAGREE: dict[str, tuple[dict[str, bool], dict[str, object]]] = {
    "case": ({"lowercase": False}, {"do_lower_case": True}),
    "no case": ({"lowercase": True, "strip_accents": False}, {"do_lower_case": False}),
    "accents": ({"lowercase": True, "strip_accents": False}, {"do_lower_case": True}),
    "no accents": ({"lowercase": True, "strip_accents": True}, {"do_lower_case": True, "strip_accents": False}),
    "CJK": ({"lowercase": True, "handle_chinese_chars": False}, {"do_lower_case": True}),
    "no CJK": ({"lowercase": True}, {"do_lower_case": True, "tokenize_chinese_chars": False}),
}


@pytest.mark.parametrize(("file", "config"), DISAGREE.values(), ids=DISAGREE.keys())
def test_two_files_of_a_tokenizer_that_disagree(
    file: dict[str, bool], config: dict[str, object], make_folder: MakeFolder
) -> None:
    folder = make_folder("bert", pooling="mean")
    (folder / "tokenizer.json").write_bytes(word_piece(**file))
    edit(folder / "tokenizer_config.json", tokenizer_class="BertTokenizer", **config)
    (note,) = assert_same(folder).notes
    assert "tokenizer.json and tokenizer_config.json disagree on" in note
    assert "transformers' BertTokenizer makes of both" in note


def test_a_token_that_only_the_configuration_adds(tmp_path: Path, tokenizer_json: dict[str, bytes]) -> None:
    folder = save(Tiny(family="Bert", kind="BertModel", modules=("mean",)), tmp_path / "tiny", tokenizer_json)
    late = {"content": "[LATE]", "special": False, "lstrip": False, "rstrip": False, "normalized": False}
    edit(folder / "tokenizer_config.json", added_tokens_decoder={"600": late | {"single_word": False}})
    (note,) = assert_same(folder).notes
    assert "disagree on added tokens" in note


def test_two_files_of_a_tokenizer_that_agree(make_folder: MakeFolder) -> None:
    folder = make_folder("bert", pooling="mean")
    content = word_piece(lowercase=True)
    (folder / "tokenizer.json").write_bytes(content)
    edit(folder / "tokenizer_config.json", tokenizer_class="BertTokenizer", do_lower_case=True)
    checkpoint = assert_same(folder)
    assert (checkpoint.notes, checkpoint.tokenizer_json) == ((), content)


@pytest.mark.parametrize(("labels", "head"), [(1, None), (2, "class-difference")])
@pytest.mark.parametrize("types", [["token_type_ids"], []], ids=["types", "no types"])
def test_a_cross_encoder_answers_as_sentence_transformers(
    labels: int, head: Any, types: list[str], make_folder: MakeFolder
) -> None:
    folder = make_folder("bert", labels=labels)
    edit(folder / "tokenizer_config.json", model_input_names=["input_ids", *types, "attention_mask"])
    checkpoint = checkpoint_folder.load(folder, overrides=Overrides(head=head))
    assert ("token_type_ids" in checkpoint.inputs) == bool(types)
    pairs = [("Where?", text) for text in ASKED]
    model = CrossEncoder(str(folder), device="cpu", local_files_only=True)
    model.tokenizer.pad_token = model.tokenizer.convert_ids_to_tokens(0)
    logits = model.predict(pairs, activation_fn=torch.nn.Identity(), batch_size=1).reshape(len(pairs), -1)
    expected = logits[:, 1:] - logits[:, :1] if labels == 2 else logits
    np.testing.assert_allclose(ours(checkpoint, RERANK, pairs), expected, rtol=1e-3, atol=1e-3)
    assert len(ask_libraries(checkpoint).figures) == 2


def test_a_causal_reranker_answers_as_sentence_transformers(tmp_path: Path, tokenizer_json: dict[str, bytes]) -> None:
    qwen = save_qwen(tmp_path / "tiny", tokenizer_json)
    checkpoint = checkpoint_folder.load(qwen)
    pairs = [("Where?", text) for text in ASKED[:3]]
    model = CrossEncoder(str(qwen), device="cpu", local_files_only=True)
    model.tokenizer.pad_token = model.tokenizer.convert_ids_to_tokens(0)
    expected = model.predict(pairs, activation_fn=torch.nn.Identity(), batch_size=1)[:, None]
    np.testing.assert_allclose(ours(checkpoint, RERANK, pairs), expected, rtol=1e-3, atol=1e-3)
    assert len(ask_libraries(checkpoint).figures) == 2
    wrong = replace(checkpoint, spec=replace(checkpoint.spec, pair_template="{query} {document}"))
    with pytest.raises(ExportError, match="error against sentence-transformers"):
        ask_libraries(wrong)


def pooled_otherwise(checkpoint: Checkpoint) -> Checkpoint:
    checkpoint.graph.pooling = "cls"  # type: ignore[assignment]
    return checkpoint


def tokenized_otherwise(checkpoint: Checkpoint) -> Checkpoint:
    tokenizer = Tokenizer.from_str(checkpoint.tokenizer_json.decode())
    tokenizer.normalizer = normalizers.Lowercase()
    return replace(checkpoint, tokenizer_json=tokenizer.to_str().encode())


MISTAKES: dict[str, tuple[Callable[[Checkpoint], Checkpoint], str]] = {
    "another prompt": (
        lambda right: replace(right, spec=replace(right.spec, query_prompt="Q: ")),
        "error against sentence-transformers .*embed_query",
    ),
    "another pooling": (pooled_otherwise, "error against sentence-transformers"),
    "another tokenizer": (tokenized_otherwise, "texts with other token ids .*must be <= 0"),
}


@pytest.mark.parametrize(("mistake", "message"), MISTAKES.values(), ids=MISTAKES.keys())
def test_the_gate_sees_a_mistake_that_torch_and_the_network_share(
    mistake: Callable[[Checkpoint], Checkpoint], message: str, make_folder: MakeFolder
) -> None:
    checkpoint = checkpoint_folder.load(make_folder("bert", pooling="mean", prompts={"query": "q: "}))
    assert len(ask_libraries(checkpoint).figures) == 2
    with pytest.raises(ExportError, match=f"nothing was published: .*{message}"):
        ask_libraries(mistake(checkpoint))


def test_the_report_says_which_libraries_were_asked(make_folder: MakeFolder) -> None:
    plain = ask_libraries(checkpoint_folder.load(make_folder("xlm-roberta")))
    assert plain.asked[0].startswith("transformers 5.")
    assert plain.asked[1] == "no answers of sentence-transformers: the folder has no modules.json"
    chosen = checkpoint_folder.load(make_folder("bert", pooling="mean"), overrides=Overrides(pooling="cls"))
    assert ask_libraries(chosen).asked[1].endswith("the pooling is not the folder's")
