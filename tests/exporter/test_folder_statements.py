"""What a model folder says: followed, told, or refused, whichever file says it; the user's words go before it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file

from interlingua.base.errors import InputError
from interlingua_exporter.models.spec import FolderSource, ModelSpec
from interlingua_exporter.weights import catalogued_folder, checkpoint_folder
from interlingua_exporter.weights.checkpoint_folder import Overrides
from interlingua_exporter.weights.statements.sentence_layout import read_layout
from tests.exporter.sentence_folders import CHAT, SAID, TEXTS, edit, said, save_qwen
from tests.support.tiny_models import MakeFolder


def retyped(folder: Path, number: int, name: str) -> None:
    rows = json.loads((folder / "modules.json").read_text())
    rows[number]["type"] = name
    (folder / "modules.json").write_text(json.dumps(rows))


def without_pooling(folder: Path) -> None:
    (folder / "modules.json").write_text(json.dumps(json.loads((folder / "modules.json").read_text())[:1]))


def prompt_left_out(folder: Path) -> None:
    edit(folder / "1_Pooling/config.json", include_prompt=False)
    edit(folder / SAID, prompts={"query": "q: "})


def left(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).write_text("{}")


REFUSED: dict[str, tuple[Callable[[Path], None], str]] = {
    "another package's pooling": (
        lambda folder: retyped(folder, 1, "custom_st.Pooling"),
        r"modules\.json asks for custom_st\.Pooling, none of sentence-transformers' classes that can be exported",
    ),
    "another package's transformer": (lambda folder: retyped(folder, 0, "my.Transformer"), r"asks for my\.Transformer"),
    "a pooling of token weights": (
        lambda folder: retyped(folder, 1, "sentence_transformers.models.WeightedLayerPooling"),
        r"asks for sentence_transformers\.models\.WeightedLayerPooling, none of",
    ),
    "no pooling": (without_pooling, "asks for no pooling: give --pooling"),
    "a LoRA adapter": (left("adapter_config.json"), r"holds an adapter \(adapter_config\.json\).*merge"),
    "an adapter's weights": (left("adapter_model.safetensors"), "holds an adapter"),
    "a sparse model": (said(SAID, model_type="SparseEncoder"), "model_type is 'SparseEncoder'"),
    "MaxSim": (said(SAID, similarity_fn_name="maxsim"), "similarity_fn_name is 'maxsim'"),
    "half a cut": (said(SAID, truncate_dim="8"), "truncate_dim is '8', not a number"),
    "prompts of numbers": (said(SAID, prompts={"query": 3}), "`prompts` is not an object of texts"),
    "a default that is none": (said(SAID, default_prompt_name="gone"), "default_prompt_name is 'gone'"),
    "queries of their own length": (said(TEXTS, query_length=8), "query_length is 8: .*--max-tokens N"),
    "query expansion": (said(TEXTS, query_expansion={"length": 32}), "query_expansion is .*mask tokens"),
    "masked words": (said(TEXTS, transformer_task="fill-mask"), "transformer_task is 'fill-mask'"),
    "a tokenizer elsewhere": (said(TEXTS, tokenizer_name_or_path="org/other"), "tokenizer_name_or_path is 'org/other'"),
    "tokenizer arguments": (said(TEXTS, processor_kwargs={"do_lower_case": True}), "processor_kwargs is"),
    "a window in words": (said(TEXTS, max_seq_length="long"), "max_seq_length is 'long', not a number of tokens"),
    "the tokenizer's window in words": (
        said("tokenizer_config.json", model_max_length="32"),
        "model_max_length is '32', not a number of tokens",
    ),
    "no window at all": (said(TEXTS, max_seq_length=0), "max_seq_length is 0, not a number of tokens"),
    "an order of its own": (
        lambda folder: retyped(folder, 1, "sentence_transformers.models.LSTM"),
        r"asks for sentence_transformers\.models\.Transformer, sentence_transformers\.models\.LSTM; what can be",
    ),
    "a chat template": (
        said(TEXTS, modality_config={"message": {"method": "forward", "method_output_name": "last_hidden_state"}}),
        "go through a chat template",
    ),
    "cut at the front": (said("tokenizer_config.json", truncation_side="left"), "truncation_side is 'left'"),
    "quantized weights": (said("config.json", quantization_config={"bits": 4}), "quantization_config is"),
    "an encoder with a decoder": (said("config.json", is_encoder_decoder=True), "is_encoder_decoder is True"),
    "the largest state": (
        said("1_Pooling/config.json", pooling_mode_mean_tokens=False, pooling_mode_max_tokens=True),
        "pooling by max_tokens; known are mean",
    ),
    "two poolings": (said("1_Pooling/config.json", pooling_mode_cls_token=True), "pooling by cls_token, mean_tokens"),
}


@pytest.mark.parametrize(("change", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_what_would_make_another_model_is_refused(
    change: Callable[[Path], None], message: str, make_folder: MakeFolder
) -> None:
    folder = make_folder("bert", pooling="mean")
    change(folder)
    with pytest.raises(InputError, match=message) as caught:
        checkpoint_folder.load(folder)
    assert "\n" not in str(caught.value)


TOLD: dict[str, tuple[Callable[[Path], None], str]] = {
    "inner products": (said(SAID, similarity_fn_name="dot"), "similarity_fn_name is dot, and `index` and `search`"),
    "city blocks": (said(SAID, similarity_fn_name="manhattan"), "similarity_fn_name is manhattan"),
    "passages": (said(SAID, prompts={"passage": "p: "}), "documents get the prompt 'passage'"),
    "a default prompt": (
        said(SAID, prompts={"t": "t: "}, default_prompt_name="t"),
        "the default prompt 't: ' is not put before texts",
    ),
    "prompts of tasks": (
        said(SAID, prompts={"query": "q: ", "document": "", "search_query": "s: ", "Query": "Q: ", "none": None}),
        "of the prompts in config_sentence_transformers.json, 'search_query', 'Query' are not put before texts",
    ),
    "an unknown key of the model": (said(SAID, temperature=3), "temperature is 3, which is not known here"),
    "an unknown key of texts": (said(TEXTS, add_bos=True), "add_bos is True, which is not known here"),
    "an unknown key of pooling": (said("1_Pooling/config.json", weights=[1, 2]), r"weights is \[1, 2\], which is"),
    "another part": (said("3_Extra/config.json", a=1), "3_Extra: not read"),
    "another head": (left("colbert_linear.pt"), r"colbert_linear\.pt: not read"),
}


@pytest.mark.parametrize(("change", "note"), TOLD.values(), ids=TOLD.keys())
def test_what_is_not_followed_is_told(change: Callable[[Path], None], note: str, make_folder: MakeFolder) -> None:
    folder = make_folder("bert", pooling="mean")
    assert checkpoint_folder.load(folder).notes == ()
    change(folder)
    (found,) = checkpoint_folder.load(folder).notes
    assert re.search(note, found), found


def test_of_unit_vectors_inner_products_and_distances_are_cosines(make_folder: MakeFolder) -> None:
    folder = make_folder("bert", pooling="mean", normalize=True)
    for name in ("dot", "euclidean"):
        edit(folder / SAID, similarity_fn_name=name)
        assert checkpoint_folder.load(folder).notes == ()


def test_weights_that_the_network_has_no_use_for(make_folder: MakeFolder) -> None:
    folder = make_folder("bert", pooling="mean")
    state = load_file(folder / "model.safetensors")
    state["cls.predictions.bias"] = torch.zeros(600)  # of the head it was trained with
    save_file(state, folder / "model.safetensors", metadata={"format": "pt"})
    assert checkpoint_folder.load(folder).notes == ()
    state["query_tower.weight"] = torch.zeros(2, 2)
    save_file(state, folder / "model.safetensors", metadata={"format": "pt"})
    (note,) = checkpoint_folder.load(folder).notes
    assert note.startswith("1 weights in ")
    assert note.endswith("are none of a BertModel and take no part: query_tower.weight")


ODD = (None, True, 3, 1.5, "x", [], ["x"], {}, {"chat_template": 1}, [None])
OF_ANY_KIND = {
    SAID: ("prompts", "default_prompt_name", "similarity_fn_name", "truncate_dim", "model_type"),
    TEXTS: ("max_seq_length", "query_length", "transformer_task", "modality_config", "processing_kwargs"),
    "1_Pooling/config.json": ("pooling_mode", "include_prompt"),
    "tokenizer_config.json": ("model_max_length", "padding_side", "truncation_side"),
    "config.json": ("architectures", "num_labels", "id2label", "max_position_embeddings", "quantization_config"),
}


@pytest.mark.parametrize("labels", [None, 1], ids=["embedder", "classifier"])
@pytest.mark.parametrize(("file", "key"), [(file, key) for file, keys in OF_ANY_KIND.items() for key in keys])
def test_a_value_of_another_kind_is_read_or_refused(
    file: str, key: str, labels: int | None, make_folder: MakeFolder
) -> None:
    folder = make_folder("bert", pooling="mean", labels=labels)
    if labels:
        edit(folder / "config.json", id2label=None)
    before = (folder / file).read_bytes()
    for value in ODD:
        edit(folder / file, **{key: value})
        try:
            read_layout(folder)
        except InputError as error:
            assert str(folder) in str(error), value  # noqa: PT017 - or nothing is raised
        (folder / file).write_bytes(before)


def test_a_class_that_is_no_list_is_not_read_letter_by_letter(make_folder: MakeFolder) -> None:
    folder = make_folder("bert", pooling="mean")
    edit(folder / "config.json", architectures="BertForSequenceClassification")
    with pytest.raises(InputError, match="not a list of names of classes"):
        checkpoint_folder.load(folder)


HEARD: dict[str, tuple[Callable[[Path], None], dict[str, Any]]] = {
    "no pooling": (without_pooling, {"pooling": "cls"}),
    "another package's pooling": (lambda folder: retyped(folder, 1, "custom_st.Pooling"), {"pooling": "mean"}),
    "the largest state": (
        said("1_Pooling/config.json", pooling_mode_mean_tokens=False, pooling_mode_max_tokens=True),
        {"pooling": "mean"},
    ),
    "a pooling of token weights": (
        lambda folder: retyped(folder, 1, "sentence_transformers.models.WeightedLayerPooling"),
        {"pooling": "last"},
    ),
    "prompts": (said(SAID, prompts=["q: "]), {"query_prompt": "q: ", "document_prompt": ""}),
    "two lengths": (said(TEXTS, query_length=8, document_length=90), {"max_tokens": 32}),
    "a window in words": (said(TEXTS, max_seq_length="long"), {"max_tokens": 32}),
    "a prompt left out": (prompt_left_out, {"query_prompt": ""}),
}


@pytest.mark.parametrize(("change", "words"), HEARD.values(), ids=HEARD.keys())
def test_the_users_words_go_before_the_folders(
    change: Callable[[Path], None], words: dict[str, Any], make_folder: MakeFolder
) -> None:
    folder = make_folder("bert", pooling="mean")
    change(folder)
    with pytest.raises(InputError):
        checkpoint_folder.load(folder)
    spec = checkpoint_folder.load(folder, overrides=Overrides(**words)).spec
    assert {name: getattr(spec, name) for name in words} == words


def test_a_folder_that_does_not_say_how_long_a_text_may_be(make_folder: MakeFolder) -> None:
    folder = make_folder("bert")
    edit(folder / "tokenizer_config.json", model_max_length=10**30)
    config = json.loads((folder / "config.json").read_text())
    network = transformers.BertModel.from_pretrained(folder)
    del config["max_position_embeddings"]  # BERT's own is 512
    network.embeddings.position_embeddings = torch.nn.Embedding(512, 32)
    network.save_pretrained(folder)
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(InputError, match="give --max-tokens"):
        checkpoint_folder.load(folder)
    assert checkpoint_folder.load(folder, overrides=Overrides(max_tokens=32)).spec.max_tokens == 32


@pytest.mark.parametrize(
    ("sentence", "tokenizer", "window"),
    [(96, 32, 96), (32, 96, 32), (None, 32, 32), (512, 32, 96), (None, 10**30, 96)],
    ids=["longer than the tokenizer's", "shorter", "the tokenizer's", "beyond the positions", "the positions"],
)
def test_sentence_transformers_own_limit_counts_alone(
    sentence: int | None, tokenizer: int, window: int, make_folder: MakeFolder
) -> None:
    folder = make_folder("xlm-roberta", pooling="mean")
    edit(folder / TEXTS, max_seq_length=sentence)
    edit(folder / "tokenizer_config.json", model_max_length=tokenizer)
    assert checkpoint_folder.load(folder).spec.max_tokens == window


OFFSET: dict[str, dict[str, Any]] = {
    "Longformer": {"attention_window": [8]},
    "Data2VecText": {},
    "Xmod": {"languages": ["en_XX"], "default_language": "en_XX"},
    "IBert": {},
    "Luke": {"entity_vocab_size": 10, "entity_emb_size": 8},
    "RobertaPreLayerNorm": {},
    "Esm": {"position_embedding_type": "absolute", "mask_token_id": 3},
    "XLMRoberta": {},
    "MPNet": {},
}
FROM_NOUGHT: dict[str, dict[str, Any]] = {"Electra": {}, "BigBird": {"attention_type": "original_full"}, "Ernie": {}}


def of_class(folder: Path, family: str, settings: dict[str, Any]) -> Path:
    """The folder with a network of 98 positions and one layer, and a tokenizer that would give 512."""
    sizes = {"vocab_size": 600, "hidden_size": 32, "intermediate_size": 64, "max_position_embeddings": 98}
    sizes |= {"num_hidden_layers": 1, "num_attention_heads": 4, "pad_token_id": 1, "bos_token_id": 0, "eos_token_id": 2}
    config = getattr(transformers, f"{family}Config")(**sizes, **settings)
    transformers.AutoModel.from_config(config).save_pretrained(folder)
    edit(folder / "tokenizer_config.json", model_max_length=512)
    return folder


@pytest.mark.parametrize(
    ("family", "window"), [*((name, 96) for name in OFFSET), *((name, 98) for name in FROM_NOUGHT)]
)
def test_the_window_is_what_the_table_of_positions_has_rows_for(
    family: str, window: int, make_folder: MakeFolder
) -> None:
    """A text that fills it is computed, and one token more is none that the network has a position for."""
    folder = of_class(make_folder("xlm-roberta"), family, (OFFSET | FROM_NOUGHT)[family])
    checkpoint = checkpoint_folder.load(folder)
    assert checkpoint.spec.max_tokens == window
    with torch.inference_mode():
        full = torch.full((1, window), 7)
        assert torch.isfinite(checkpoint.graph(full, torch.ones_like(full))).all()
        longer = torch.full((1, window + 1), 7)
        with pytest.raises((IndexError, RuntimeError)):
            checkpoint.graph(longer, torch.ones_like(longer))
    with pytest.raises(InputError, match=rf"beyond the .* {window}"):
        checkpoint_folder.load(folder, overrides=Overrides(max_tokens=window + 1))


@pytest.fixture
def qwen(tmp_path: Path, tokenizer_json: dict[str, bytes]) -> Path:
    return save_qwen(tmp_path / "tiny", tokenizer_json)


def test_a_causal_reranker_with_logit_score(qwen: Path) -> None:
    checkpoint = checkpoint_folder.load(qwen)
    spec = checkpoint.spec
    assert (spec.role, spec.head, spec.score_tokens) == ("reranker", "yes-no", ("yes", "no"))
    assert spec.pair_template == "[CLS]Find it\nQuery: {query}\nDocument: {document}[SEP]answer"
    assert checkpoint.notes == ()
    edit(qwen / "1_LogitScore" / "config.json", true_token_id=602, false_token_id=None)
    single = checkpoint_folder.load(qwen).spec
    assert (single.head, single.score_tokens) == ("yes", ("Yes",))


def test_the_users_head_goes_before_logit_score(qwen: Path) -> None:
    spec = checkpoint_folder.load(qwen, overrides=Overrides(head="yes", score_tokens=("no",))).spec
    assert (spec.head, spec.score_tokens) == ("yes", ("no",))
    spec = checkpoint_folder.load(qwen, overrides=Overrides(head="yes-no")).spec
    assert (spec.head, spec.score_tokens) == ("yes-no", ("yes", "no"))


def test_an_entrys_template_goes_before_the_folders(qwen: Path) -> None:
    """The recipe of docs/models/qwen3.md, whose folder has a modules.json today."""
    (qwen / "chat_template.jinja").unlink()
    with pytest.raises(InputError, match=r"chat template .* makes no pair of them .*pair_template"):
        checkpoint_folder.load(qwen)
    template = "[CLS]Is it so?\n{query}\n{document}[SEP]"
    entry = ModelSpec(
        id="me/qwen",
        role="reranker",
        source=FolderSource(qwen),
        pooling="none",
        normalize=False,
        head="yes-no",
        max_tokens=64,
        pair_template=template,
        score_tokens=("yes", "no"),
    )
    assert catalogued_folder.load(entry).spec.pair_template == template
    (qwen / "chat_template.jinja").write_text(CHAT)
    silent = catalogued_folder.load(replace(entry, pair_template=""))
    assert silent.spec.pair_template.startswith("[CLS]Find it\nQuery: {query}")


@pytest.mark.parametrize("ids", [{"true_token_id": "yes"}, {"true_token_id": None}, {"true_token_id": 9999}])
def test_logit_score_of_no_token(ids: dict[str, object], qwen: Path) -> None:
    edit(qwen / "1_LogitScore" / "config.json", **ids)
    with pytest.raises(InputError, match=r"not ids of tokens|which its tokenizer has not"):
        checkpoint_folder.load(qwen)
