"""The world's late-interaction folders give the rows, vectors and scores that the library gives of the same folder."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from sentence_transformers import MultiVectorEncoder
from sentence_transformers.multi_vector_encoder.modules import MultiVectorMask

from interlingua.base.errors import InputError
from interlingua.served.graph_names import ATTENTION_MASK, INPUT_IDS
from interlingua.served.late_interaction.side_tokenizer import SideTokenizer
from interlingua.served.late_interaction.side_vectors import document_vectors
from interlingua.served.late_interaction.sides import LateInteraction
from interlingua.served.text.collate import collate
from interlingua.served.text.sealed import SealedTokenizers
from interlingua.served.text.tokenizer import SideRow
from interlingua_exporter.graphs.checkpoint import Checkpoint
from interlingua_exporter.weights import checkpoint_folder
from interlingua_exporter.weights.multi_vector.multi_vector_folder import load
from tests.exporter import multi_vector_folders as folders
from tests.exporter.multi_vector_folders import ASKED, dense


@pytest.fixture(scope="session")
def backbones(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return {family: folders.backbone(tmp_path_factory.mktemp("bare") / family, family) for family in folders.BACKBONES}


def interaction(model: Checkpoint) -> LateInteraction:
    assert model.interaction is not None
    return model.interaction


def rows(model: Checkpoint, texts: list[str], *, query: bool) -> list[SideRow]:
    side = interaction(model).query if query else interaction(model).document
    encoded = SideTokenizer(SealedTokenizers(model.tokenizer_json), side).encode(texts)
    made = [kept for kept, _ in encoded]
    assert all(isinstance(row, SideRow) for row in made)
    return made  # type: ignore[return-value]


def vectors(model: Checkpoint, made: list[SideRow], *, query: bool) -> list[np.ndarray]:
    batch = collate(made, (INPUT_IDS, ATTENTION_MASK), pad_token_id=model.pad_token_id, padding_side="right")
    with torch.inference_mode():
        output = model.graph(*map(torch.from_numpy, batch.values())).numpy()
    kept = [values[list(row.kept)] for row, values in zip(made, output, strict=True)]
    return kept if query else [document_vectors(values, interaction(model)) for values in kept]


def scores(model: Checkpoint, queries: list[np.ndarray], documents: list[np.ndarray]) -> np.ndarray:
    """By the formula, row by row."""
    found = np.array([[(query @ document.T).max(1).sum() for document in documents] for query in queries])
    return found / np.array([[len(query)] for query in queries]) if interaction(model).weighting == "mean" else found


def assert_same(folder: Path, theirs: MultiVectorEncoder | None = None, texts: list[str] = ASKED) -> Checkpoint:
    model, theirs = load(folder), theirs or folders.theirs(folder)
    ours: dict[bool, list[np.ndarray]] = {}
    for query in (True, False):
        encode = theirs.encode_query if query else theirs.encode_document
        expected = [encode([text], convert_to_numpy=True, show_progress_bar=False)[0] for text in texts]
        made = rows(model, texts, query=query)
        alone = [vectors(model, [row], query=query)[0] for row in made]
        ours[query] = vectors(model, made, query=query)
        for text, found, lone, wanted in zip(texts, ours[query], alone, expected, strict=True):
            assert found.shape == wanted.shape, (query, text)
            np.testing.assert_allclose(found, wanted, atol=1e-5, err_msg=text)
            np.testing.assert_allclose(lone, wanted, atol=1e-5, err_msg=text)
    queries, documents = theirs.encode_query(texts), theirs.encode_document(texts)
    full = [place for place, document in enumerate(documents) if len(document)]
    wanted = theirs.similarity(queries, [documents[place] for place in full]).numpy()
    np.testing.assert_allclose(scores(model, ours[True], [ours[False][place] for place in full]), wanted, atol=1e-4)
    return model


def ids(theirs: MultiVectorEncoder, text: str, *, query: bool) -> list[int]:
    task = "query" if query else "document"
    names = ["query"] if query else ["document", "passage", "corpus"]
    prompt = next((theirs.prompts[name] for name in names if name in theirs.prompts), None)
    found: list[int] = theirs.preprocess([text], prompt=prompt, task=task)["input_ids"][0].tolist()
    return found


NATIVE: dict[str, dict[str, Any]] = {
    "nothing said": {},
    "lengths and prompts": {
        "query_length": 9,
        "document_length": 20,
        "prompts": {"query": "ask: ", "document": "given: "},
    },
    "a passage": {
        "document_length": 20,
        "prompts": {"query": "", "passage": "given: "},
        "similarity_fn_name": "maxsim",
    },
    "fixed": {"query_expansion": {"strategy": "fixed", "attend": False, "length": 10}},
    "fixed, attended": {"query_expansion": {"strategy": "fixed", "attend": True, "length": 10}},
    "at least": {"query_expansion": {"strategy": "min", "attend": False, "length": 10}},
    "at least, attended, mean": {
        "query_length": 14,
        "query_expansion": {"strategy": "min", "attend": True, "length": 10},
        "similarity_fn_name": "meanmaxsim",
    },
}


@pytest.mark.parametrize("settings", NATIVE.values(), ids=NATIVE.keys())
@pytest.mark.parametrize("family", folders.BACKBONES)
def test_a_multi_vector_encoder(
    family: str, settings: dict[str, Any], backbones: dict[str, Path], tmp_path: Path
) -> None:
    folder = folders.native(tmp_path / "native", backbones[family], **settings)
    theirs = folders.theirs(folder)
    model = assert_same(folder, theirs)
    for query in (True, False):
        made = [list(row.ids) for row in rows(model, ASKED, query=query)]
        assert made == [ids(theirs, text, query=query) for text in ASKED]
    assert LateInteraction.from_text(interaction(model).to_text()) == interaction(model)


@pytest.mark.parametrize(
    "layers",
    [
        pytest.param([(32, 24, {"activation": torch.nn.Tanh(), "residual": True}), (24, 16, {})], id="residual, Tanh"),
        pytest.param([(32, 32, {"residual": True, "activation": torch.nn.GELU(), "bias": False})], id="GELU on top"),
    ],
)
def test_layers_over_tokens(layers: list[Any], backbones: dict[str, Path], tmp_path: Path) -> None:
    torch.manual_seed(1)
    made = tuple(dense(inputs, outputs, **more) for inputs, outputs, more in layers)
    model = assert_same(folders.native(tmp_path / "native", backbones["bert"], layers=made))
    assert model.dimension == layers[-1][1]


def test_a_mask_of_both_sides(backbones: dict[str, Path], tmp_path: Path) -> None:
    mask = MultiVectorMask(["paris", "the", "nowhere"], skiplist_tasks=["query", "document"])
    model = assert_same(folders.native(tmp_path / "native", backbones["bert"], mask=mask))
    assert interaction(model).query.skipped_ids == interaction(model).document.skipped_ids != ()


PYLATE: dict[str, tuple[str, dict[str, Any]]] = {
    "usual": ("bert", {}),
    "usual, XLM-R": ("xlm-roberta", {}),
    "usual, ModernBERT": ("modernbert", {"query_length": 10}),
    "attended, mean": ("bert", {"attend_to_expansion_tokens": True, "skiplist_words": [".", "?"]}),
    "no expansion": ("xlm-roberta", {"do_query_expansion": False}),
    "a prompt after the marker": ("bert", {"prompts": {"query": "ask: ", "document": "[D] given: "}}),
    "no length of queries": ("bert", {"query_length": ..., "skiplist_words": ...}),
    "expansion as a dictionary": ("bert", {"query_expansion": {"strategy": "min", "length": 10}}),
    "expansion is null": ("bert", {"query_expansion": None}),
}


@pytest.mark.parametrize(("family", "said"), PYLATE.values(), ids=PYLATE.keys())
def test_a_folder_of_pylate(family: str, said: dict[str, Any], backbones: dict[str, Path], tmp_path: Path) -> None:
    folder = folders.pylate(tmp_path / "pylate", backbones[family], **said)
    theirs = folders.theirs(folder)
    model = assert_same(folder, theirs)
    for query in (True, False):
        made = [list(row.ids) for row in rows(model, ASKED, query=query)]
        assert made == [ids(theirs, text, query=query) for text in ASKED]
        side = interaction(model).query if query else interaction(model).document
        assert side.marker_id is not None


def test_a_document_length_that_pylate_does_not_state_is_pylates(backbones: dict[str, Path], tmp_path: Path) -> None:
    """Of the library it would be max_seq_length: that of the text that was encoded last before saving."""
    folder = folders.pylate(tmp_path / "pylate", backbones["bert"], document_length=...)
    model, theirs = load(folder), folders.theirs(folder)
    assert (theirs[0].document_length, theirs.max_seq_length) == (None, 39)
    assert interaction(model).document.max_tokens == folders.WINDOW  # PyLate's 180, and no more than the network takes
    theirs[0].document_length = folders.WINDOW
    assert_same(folder, theirs)


@pytest.mark.parametrize("attended", [False, True])
def test_a_folder_of_colbert_ai(attended: bool, backbones: dict[str, Path], tmp_path: Path) -> None:
    folder = folders.stanford(tmp_path / "stanford", backbones["bert"], attend_to_mask_tokens=attended)
    theirs = folders.theirs(folder)
    model = assert_same(folder, theirs)
    for query in (True, False):
        assert [list(row.ids) for row in rows(model, ASKED, query=query)] == [
            ids(theirs, text, query=query) for text in ASKED
        ]
    assert model.notes == ()


def test_punctuation_that_colbert_ai_does_not_mask(backbones: dict[str, Path], tmp_path: Path) -> None:
    model = assert_same(folders.stanford(tmp_path / "stanford", backbones["bert"], mask_punctuation=False))
    assert interaction(model).document.skipped_ids == ()


def test_colbert_ai_on_xlm_r_puts_its_unknown_token_for_a_marker(backbones: dict[str, Path], tmp_path: Path) -> None:
    """As colbert-ai itself does, in which sentence-transformers does not follow it: by its own steps here."""
    folder = folders.stanford(tmp_path / "stanford", backbones["xlm-roberta"])
    model = load(folder)
    tokenizer = folders.theirs(folder).tokenizer
    unknown, mask, pad = tokenizer.unk_token_id, tokenizer.mask_token_id, tokenizer.pad_token_id
    skipped = {tokenizer.encode(sign, add_special_tokens=False)[0] for sign in folders.PUNCTUATION}
    for query, length in ((True, 18), (False, 28)):
        for text, row in zip(ASKED, rows(model, ASKED, query=query), strict=True):
            placed = tokenizer(f". {text}", padding="max_length", truncation=True, max_length=length)["input_ids"]
            bare = tokenizer(text, truncation=True, max_length=length - 1)["input_ids"]
            expected = [bare[0], unknown, *bare[1:]]
            assert list(row.ids)[: len(expected)] == expected
            assert len(placed) == length
            assert len(row.ids) == (length if query else len(expected))
            assert row.attended == len(expected)
            assert set(row.ids[len(expected) :]) <= {mask}
            counted = [number not in skipped and number != pad for number in row.ids] if not query else None
            assert list(row.kept) == ([at for at, yes in enumerate(counted) if yes] if counted else [*range(length)])


def test_token_vectors_of_an_embedder_with_a_head(backbones: dict[str, Path], tmp_path: Path) -> None:
    """Against the library's modules with the head's weights, which FlagEmbedding equals."""
    folder = folders.bge(tmp_path / "bge", backbones["xlm-roberta"])
    head = torch.load(folder / "colbert_linear.pt", weights_only=True)
    layer = dense(32, folders.DIMENSION)
    layer.linear.load_state_dict(head)
    mask = MultiVectorMask(["<s>"], skiplist_tasks=["query", "document"])
    theirs = folders.native(
        tmp_path / "native",
        backbones["xlm-roberta"],
        layers=(layer,),
        mask=mask,
        similarity_fn_name="meanmaxsim",
    )
    model = assert_same(folder, folders.theirs(theirs))
    assert interaction(model).query.max_tokens == folders.WINDOW
    assert interaction(load(folder, max_tokens=20)).document.max_tokens == 20


def test_an_embedder_tells_of_the_head_that_it_has(backbones: dict[str, Path], tmp_path: Path) -> None:
    notes = checkpoint_folder.load(folders.bge(tmp_path / "bge", backbones["xlm-roberta"])).notes
    assert any("--head late-interaction exports the model with colbert_linear.pt" in note for note in notes)


def test_weights_in_several_files(backbones: dict[str, Path], tmp_path: Path) -> None:
    folder = folders.stanford(tmp_path / "stanford", backbones["bert"])
    whole = load(folder).graph.state_dict()
    state = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    parts = {"model-00001-of-00002.safetensors": [], "model-00002-of-00002.safetensors": ["linear.weight"]}
    parts["model-00001-of-00002.safetensors"] = [name for name in state if name != "linear.weight"]
    for file, names in parts.items():
        save_file({name: state[name] for name in names}, folder / file, metadata={"format": "pt"})
    weight_map = {name: file for file, names in parts.items() for name in names}
    folders.edit(folder / "model.safetensors.index.json", metadata={}, weight_map=weight_map)
    assert all(torch.equal(value, whole[name]) for name, value in load(folder).graph.state_dict().items())


def test_two_loads_are_equal(backbones: dict[str, Path], tmp_path: Path) -> None:
    folder = folders.pylate(tmp_path / "pylate", backbones["modernbert"], query_length=9)
    first, second = load(folder), load(folder)
    assert (first.interaction, first.tokenizer_json, first.notes) == (
        second.interaction,
        second.tokenizer_json,
        second.notes,
    )
    state = second.graph.state_dict()
    assert all(torch.equal(value, state[name]) for name, value in first.graph.state_dict().items())


def test_a_text_makes_no_marker(backbones: dict[str, Path], tmp_path: Path) -> None:
    """In which the libraries differ: there, `[MASK]` and a marker in a user's text are the tokens themselves."""
    structure = "[MASK] [Q] [D] [SEP] [unused0] <mask> <s>"
    for number, made in enumerate((folders.pylate, folders.stanford)):
        model = load(made(tmp_path / str(number), backbones["bert"]))
        bare, row = rows(model, ["word", structure], query=False)
        special = {interaction(model).query.marker_id, interaction(model).document.marker_id, 0, 2, 3, 4}
        assert sorted(special.intersection(row.ids)) == sorted(special.intersection(bare.ids))


Change = Callable[[Path], None]


def said(file: str, **values: object) -> Change:
    return lambda folder: folders.edit(folder / file, **values)


def module(kind: str, path: str, **config: object) -> Change:
    """One more module at the end."""

    def change(folder: Path) -> None:
        modules = folder / "modules.json"
        rows = json.loads(modules.read_text())
        modules.write_text(json.dumps([*rows, {"idx": len(rows), "name": path, "path": path, "type": kind}]))
        folders.edit(folder / path / "config.json", **config)

    return change


POOLING = "sentence_transformers.multi_vector_encoder.modules.token_pooling.HierarchicalTokenPooling"
REFUSED: dict[str, tuple[Any, Change, str]] = {
    "another module": (folders.native, module("sentence_transformers.models.Router", "4_R"), "asks for .*Router; what"),
    "a class of one's own": (folders.native, module("own.Normalize", "4_N"), r"asks for .*own\.Normalize; what can"),
    "pooled queries": (folders.native, module(POOLING, "4_P", pool_factor=2, tasks=["query"]), "of documents alone"),
    "no factor": (folders.native, module(POOLING, "4_P", pool_factor=0.5), "pool_factor is 0.5 and .* of at least 1"),
    "images": (folders.native, said("2_MultiVectorMask/config.json", keep_only_token_ids=[3]), "only some tokens of a"),
    "a pooled normalization": (folders.native, said("3_Normalize/config.json", module_input_name=...), "pooled vector"),
    "a layer over pooled vectors": (
        folders.native,
        said("1_Dense/config.json", module_input_name="sentence_embedding"),
        "module_input_name is 'sentence_embedding'; a late-interaction",
    ),
    "an activation of one's own": (
        folders.native,
        said("1_Dense/config.json", activation_function="own.Act"),
        "own.Act",
    ),
    "a layer of another size": (
        folders.native,
        said("1_Dense/config.json", out_features=12),
        r"\[16, 32\], and .*12, 32",
    ),
    "a layer that does not fit": (
        folders.native,
        said("1_Dense/config.json", in_features=12),
        "takes 12 values, and get",
    ),
    "cosine": (folders.native, said(folders.SAID, similarity_fn_name="cosine"), "'cosine', not maxsim or meanmaxsim"),
    "a chat template": (
        folders.native,
        said(folders.TEXTS, modality_config={"message": {"method": "forward"}}),
        "texts go through a chat template",
    ),
    "cut vectors": (folders.native, said(folders.SAID, truncate_dim=8), "token vectors are cut to a length"),
    "an expansion that is none": (
        folders.native,
        said(folders.TEXTS, query_expansion={"length": 9}),
        "known is a strate",
    ),
    "an unknown token of expansion": (
        folders.native,
        said(folders.TEXTS, query_expansion={"strategy": "min", "length": 9, "token": "[NO]"}),
        r"has no token '\[NO\]'",
    ),
    "an expansion beyond the window": (
        folders.pylate,
        said(folders.SAID, query_length=90),
        "expanded to 90 tokens, and",
    ),
    "expansion on the left": (
        folders.pylate,
        said("tokenizer_config.json", padding_side="left"),
        "on the left, before",
    ),
    "words that are none": (folders.pylate, said(folders.SAID, skiplist_words="."), "'.', not a list of texts"),
    "prompts that are none": (folders.pylate, said(folders.SAID, prompts=["a"]), "not an object of texts"),
    "another distance": (folders.stanford, said("artifact.metadata", similarity="l2"), "similarity is 'l2'; .* cosine"),
    "another interaction": (folders.stanford, said("artifact.metadata", interaction="flipr"), "'flipr'; .* colbert"),
    "a length that is none": (
        folders.stanford,
        said("artifact.metadata", doc_maxlen="long"),
        "'long', not a number of",
    ),
    "no projection": (
        folders.stanford,
        lambda folder: save_file({}, folder / "model.safetensors"),
        r"have no linear\.weight of two dimensions",
    ),
    "another head": (
        folders.bge,
        lambda folder: torch.save({"weight": torch.zeros(3, 32)}, folder / "colbert_linear.pt"),
        "holds weight, not a weight and a bias",
    ),
    "an adapter": (folders.native, said("adapter_config.json"), "holds an adapter"),
    "no late interaction": (
        lambda folder, bare: shutil.copytree(bare, folder),
        said("x.json"),
        "no late-interaction mo",
    ),
}


@pytest.mark.parametrize(("make", "change", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_refused(make: Any, change: Change, message: str, backbones: dict[str, Path], tmp_path: Path) -> None:
    folder: Path = make(tmp_path / "model", backbones["bert"])
    change(folder)
    with pytest.raises(InputError, match=message):
        load(folder)


def test_expansion_beyond_a_local_window(backbones: dict[str, Path], tmp_path: Path) -> None:
    """Rows that see no token have no one answer: sdpa gives zeros, eager a mean."""
    expansion: dict[str, Any] = {"strategy": "fixed", "attend": False, "length": 11}
    folder = folders.native(tmp_path / "native", backbones["modernbert"], query_expansion=expansion)
    with pytest.raises(InputError, match="expanded to 11 tokens that are not attended, and layers with a window of 16"):
        load(folder)
    folders.edit(folder / folders.TEXTS, query_expansion=expansion | {"attend": True})
    assert_same(folder)


@pytest.mark.parametrize("settings", [{"pool_factor": 2}, {"pool_factor": 1.5, "num_protected_tokens": 3}])
@pytest.mark.parametrize("told", [{"normalize_embeddings": True}, {}], ids=["length 1", "as it was saved before"])
def test_documents_that_the_model_pools(
    settings: dict[str, Any], told: dict[str, Any], backbones: dict[str, Path], tmp_path: Path
) -> None:
    folder = folders.native(tmp_path / "native", backbones["bert"])
    module(POOLING, "4_P", **settings, **told)(folder)
    model = assert_same(folder)
    pooling = interaction(model).pooling
    assert pooling is not None
    assert (pooling.factor, pooling.normalize) == (settings["pool_factor"], bool(told))
    assert LateInteraction.from_text(interaction(model).to_text()) == interaction(model)
    lengths = [len(rows) for rows in vectors(model, rows(model, ASKED, query=False), query=False)]
    assert lengths[-1] < len(rows(model, ASKED[-1:], query=False)[0].kept)
