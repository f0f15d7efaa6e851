"""`interlingua export --weights dummy`: small entries of every class from the command line to the repository.

The classes have one layer of width 32, feed-forward 64, four heads. Their parameters, worked out by hand, with V rows:

    a BERT or XLM-R layer: 4 (32 x 32 + 32) + (32 x 64 + 64) + (64 x 32 + 32) + 2 norms of 2 x 32 = 8544
    encoder: 32 V + 32 x positions + 32 x token types + 64 + 8544;  pooler: 32 x 32 + 32 = 1056
    a decoder's layer, heads of 8, two of keys and values: 32 x 32 (q) + 2 x 32 x 16 (k, v) + 32 x 32 (o)
        + 3 x 32 x 64 (gated) + 2 x 32 (norms) = 9280;  Qwen3: + 2 x 8 (norms of q and k) = 9296
        Gemma 3: + 2 x 8 + 2 x 32 (four norms) = 9360;  decoder: 32 V + 32 + its layer
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from tokenizers import Tokenizer

from interlingua.base.errors import InputError
from interlingua.repository.triton_config import parameters_of, read_config
from interlingua.served.service import ServiceSpec
from interlingua_cli.export import command
from interlingua_exporter.models.catalog import find, read_catalog
from interlingua_exporter.models.exportable import TESTED_CLASSES, status
from interlingua_exporter.models.resolve import resolve
from interlingua_exporter.models.spec import ModelSpec
from interlingua_exporter.weights.checkpoint_folder import Overrides
from interlingua_exporter.weights.dummy import dummy_folder
from interlingua_exporter.weights.dummy.dummy_config import network_kind
from interlingua_exporter.weights.dummy.dummy_folder import dummy_checkpoint
from interlingua_exporter.weights.dummy.dummy_tokenizer import stand_in

V = 12_000  # enough pieces for every language of the gate
BERT = 32 * V + 32 * 512 + 32 * 2 + 64 + 8544
XLM_R = 32 * V + 32 * 514 + 32 + 64 + 8544
QWEN3 = 32 * V + 32 + 9296
GEMMA = 32 * V + 32 + 9280
GEMMA3 = 32 * V + 32 + 9360
POOLER = 1056  # a classifier's hidden layer, too
DECODER = "key_value_heads = 2\nhead_width = 8\ngated = true"

TWO = "class-difference"
EMBEDDER = 'role = "embedder"'
RERANKER = 'role = "reranker"\npooling = "none"\nnormalize = false\npadding_side = "{}"\nhead = "{}"'
DENSE = "dense = [{ inputs = 32, outputs = 48, bias = false }, { inputs = 48, outputs = 32 }]"
XLM_R_IDS = "specials = { start = 0, end = 2, pad = 1 }"
GEMMA_IDS = "specials = { start = 2, end = 1, pad = 0 }"
LAST = 'pooling = "last"\npadding_side = "left"\nquery_prompt = "find: "\nspecials = { pad = 11990 }'
YES_NO = """score_tokens = ["yes", "no"]
pair_template = "<|im_start|>{query}<|im_end|>{document}"
specials = { pad = 11990 }"""

# id, class, parameters, further fields of the network, of the model. Where one token's state is the answer, it is the
# text's own: that of a special token hardly depends on the text at this width, and rankings would be ties.
ROWS = (
    ("bert", "BertModel", BERT + POOLER, "", (EMBEDDER, XLM_R_IDS)),
    ("mbert", "BertForMaskedLM", BERT + POOLER, "", (EMBEDDER, DENSE)),
    (
        "bert-two",
        "BertForSequenceClassification",
        BERT + POOLER + 2 * 33,
        "",
        (RERANKER.format("right", TWO),),
    ),
    ("xlmr", "XLMRobertaModel", XLM_R + POOLER, "", (EMBEDDER, 'pooling = "cls"')),
    (
        "xlmr-one",
        "XLMRobertaForSequenceClassification",
        XLM_R + POOLER + 33,
        "",
        (RERANKER.format("right", "classifier"),),
    ),
    ("qwen3", "Qwen3Model", QWEN3, DECODER, (EMBEDDER, LAST)),
    ("qwen3-yes-no", "Qwen3ForCausalLM", QWEN3 + 32 * V, DECODER, (RERANKER.format("left", "yes-no"), YES_NO)),
    (
        "qwen3-two",
        "Qwen3ForSequenceClassification",
        QWEN3 + 2 * 32,
        DECODER,
        (RERANKER.format("left", TWO), "specials = { pad = 7 }"),
    ),
    ("gemma3", "Gemma3TextModel", GEMMA3, DECODER, (EMBEDDER, GEMMA_IDS, DENSE)),
    ("gemma-yes", "GemmaForCausalLM", GEMMA, DECODER, (RERANKER.format("left", "yes"), GEMMA_IDS)),
)
ROW = """
[[model]]
id = "tests/{}"
max_tokens = 64
{}
source = {{ reader = "hub" }}
[model.network]
architecture = "{}"
parameters = {}
vocabulary = {}
hidden = 32
layers = 1
heads = 4
feed_forward = 64
{}
"""


def row(name: str, kind: str, parameters: int, shape: str, fields: tuple[str, ...]) -> str:
    return ROW.format(name, "\n".join(fields), kind, parameters, V, shape)


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("catalogue") / "own.toml"
    path.write_text("".join(row(*values) for values in ROWS), encoding="utf-8")
    return path


def export(catalogue: Path, model: str, root: Path, *more: object) -> Result:
    arguments = [model, "--weights", "dummy", "--catalog", catalogue, "--model-repository", root, *more]
    return CliRunner().invoke(command, [str(argument) for argument in arguments])


def entry(name: str) -> ModelSpec:
    spec = find(name, read_catalog())
    assert spec is not None
    return spec


@pytest.mark.usefixtures("shared_exports")
@pytest.mark.parametrize(("name", "kind", "parameters"), [values[:3] for values in ROWS], ids=[v[0] for v in ROWS])
def test_a_small_entry_of_each_class_goes_through_the_gate(
    catalogue: Path, tmp_path: Path, name: str, kind: str, parameters: int
) -> None:
    result = export(catalogue, f"tests/{name}", tmp_path, "--json")
    assert result.exception is None, result.exception
    done: dict[str, Any] = json.loads(result.stdout)
    assert (done["model"], done["revision"], done["reused"]) == (f"tests/{name}", "dummy-0", False)
    assert done["notes"][0].startswith("RANDOM WEIGHTS (seed 0)")
    assert done["gate"]["languages"] == 13
    # Weights alone are 4 bytes a parameter; a graph without the pooler, the rows of a head and the types is smaller.
    assert 0.5 < done["network_bytes"] / (4 * parameters) < 1.6, kind
    service = done["models"][-1]
    published = ServiceSpec.from_parameters(parameters_of(read_config(tmp_path / service / "config.pbtxt")), 1)
    assert (published.revision, published.max_tokens) == ("dummy-0", 64)


def test_every_tested_class_is_in_the_rows() -> None:
    assert {kind for _, kind, *_ in ROWS} == set(TESTED_CLASSES)


@pytest.mark.usefixtures("shared_exports")
def test_what_the_user_sees(catalogue: Path, tmp_path: Path) -> None:
    result = export(catalogue, "tests/bert", tmp_path)
    assert result.exception is None, result.exception
    assert "making tests/bert with random weights ..." in result.stderr
    assert "note: RANDOM WEIGHTS (seed 0) in the true shape" in result.stdout
    again = export(catalogue, "tests/bert", tmp_path)
    assert "published already, byte for byte: embedder/1" in again.stdout
    checked = export(catalogue, "tests/bert", tmp_path, "--verify", "--json")
    assert checked.exception is None, checked.exception
    assert json.loads(checked.stdout)[0]["gate"]["texts"] == 274
    alone = CliRunner().invoke(command, ["verify", "--model-repository", str(tmp_path)])
    assert "values were not compared: its weights are random; tests/bert --weights dummy makes them" in alone.stdout


def test_another_seed_makes_other_weights_and_both_say_so(catalogue: Path, tmp_path: Path) -> None:
    import torch

    spec = next(known.spec for known in read_catalog(catalogue) if known.spec.id == "tests/qwen3")
    made = [dummy_checkpoint(spec, tmp_path / str(number), seed=seed) for number, seed in enumerate((5, 5, 6))]
    assert [checkpoint.spec.revision for checkpoint in made] == ["dummy-5", "dummy-5", "dummy-6"]
    assert all("RANDOM WEIGHTS" in checkpoint.spec.notes[0] for checkpoint in made)
    assert (made[0].spec.source, made[0].spec.ran, status(made[0].spec)) == (spec.source, (), "class tested")
    ids = torch.tensor([[5, 6, 7]])
    with torch.no_grad():
        first, same, other = (checkpoint.graph(ids, torch.ones_like(ids)) for checkpoint in made)
    assert torch.equal(first, same)
    assert not torch.allclose(first, other, atol=0.01)


def test_a_number_of_parameters_that_the_sizes_do_not_make(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text(row("bert", "BertModel", BERT + POOLER + 32, "", (EMBEDDER,)), encoding="utf-8")
    result = export(path, "tests/bert", tmp_path / "models")
    assert isinstance(result.exception, InputError)
    wanted, found = f"{BERT + POOLER + 32:_}", f"{BERT + POOLER:_}"
    message = f"a BertModel of the entry's sizes has {found} parameters, and the entry says {wanted}"
    assert message in str(result.exception)
    assert not (tmp_path / "models").exists()


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        ("BAAI/bge-m4", "'BAAI/bge-m4' is not in the catalogue.*Did you mean BAAI/bge-m3"),
        ("Alibaba-NLP/gte-multilingual-base", "its network is code of its own"),
        ("zeroentropy/zembed-1", "its network is code of its own"),
        ("nomic-ai/nomic-embed-text-v2-moe", "it is a mixture of experts"),
        ("interlingua/e5-small-reranker", "late interaction is no class of transformers"),
    ],
)
def test_what_has_no_dummy(model: str, reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        dummy_folder.load(resolve(model), Overrides())


def test_a_folder_has_no_dummy(tmp_path: Path) -> None:
    result = CliRunner().invoke(command, [str(tmp_path), "--weights", "dummy"])
    assert isinstance(result.exception, InputError)
    assert "is not in the catalogue" in str(result.exception)


def test_rankings_of_precisions_are_not_compared() -> None:
    result = CliRunner().invoke(command, ["compare", "BAAI/bge-m3", "--weights", "dummy"])
    assert result.exit_code == 2
    assert "No such option '--weights'" in result.output


def test_without_a_network_or_of_another_class() -> None:
    spec = entry("BAAI/bge-m3")
    assert spec.network is not None
    with pytest.raises(InputError, match="its entry does not state the network"):
        network_kind(replace(spec, network=None))
    with pytest.raises(InputError, match="its class is OtherModel; known are BertModel"):
        network_kind(replace(spec, network=replace(spec.network, architecture="OtherModel")))
    with pytest.raises(InputError, match="does not state heads"):
        network_kind(replace(spec, network=replace(spec.network, heads=0)))
    with pytest.raises(InputError, match="the end token's id is 250002, and the vocabulary has 250002"):
        network_kind(replace(spec, specials=replace(spec.specials, end=250_002)))


@pytest.mark.parametrize(
    ("name", "positions", "layers"),
    [
        ("intfloat/multilingual-e5-base", 514, 12),
        ("BAAI/bge-m3", 8194, 24),
        ("sentence-transformers/paraphrase-multilingual-MiniLM-L12-v2", 512, 12),
        ("Qwen/Qwen3-Reranker-0.6B", 8192, 28),
    ],
)
def test_position_tables_and_layers(name: str, positions: int, layers: int) -> None:
    config = network_kind(entry(name))[1]
    assert (config.max_position_embeddings, config.num_hidden_layers) == (positions, layers)


def test_whether_the_head_is_tied_follows_from_the_parameters() -> None:
    tied = {size: network_kind(entry(f"Qwen/Qwen3-Reranker-{size}"))[1].tie_word_embeddings for size in ("4B", "8B")}
    assert tied == {"4B": True, "8B": False}


def test_the_xlm_r_family_has_its_own_tokenizer() -> None:
    """The ids that fairseq publishes, as in test_catalog_tokens.py."""
    tokenizer = Tokenizer.from_str(stand_in(entry("BAAI/bge-m3")).decode())
    assert tokenizer.encode("Hello world!").ids == [0, 35378, 8999, 38, 2]
    assert tokenizer.encode("Hello world!", "Hello world!").ids == [0, 35378, 8999, 38, 2, 2, 35378, 8999, 38, 2]


@pytest.mark.parametrize(
    ("name", "start", "end"),
    [
        ("sentence-transformers/LaBSE", [101], [102]),
        ("google/embeddinggemma-300m", [2], [1]),
        ("Qwen/Qwen3-Embedding-0.6B", [], [151_643]),
        ("Qwen/Qwen3-Reranker-0.6B", [], []),
    ],
)
def test_specials_stand_where_the_entry_says(name: str, start: list[int], end: list[int]) -> None:
    """XLM-R's pieces of `Hello world!` between the entry's specials."""
    spec = entry(name)
    assert spec.network is not None
    tokenizer = Tokenizer.from_str(stand_in(spec).decode())
    words = [35378, 8999, 38]
    assert tokenizer.encode("Hello world!").ids == [*start, *words, *end]
    pair = tokenizer.encode("Hello world!", "Hello world!")
    assert pair.ids == [*start, *words, *end, *words, *end]
    assert pair.type_ids == [0] * len([*start, *words, *end]) + [1] * len([*words, *end])
    assert max(tokenizer.get_vocab().values()) < spec.network.vocabulary
    assert tokenizer.token_to_id("<pad>" if spec.specials.pad != spec.specials.end else "</s>") == spec.specials.pad


def test_score_tokens_and_markers_are_single_tokens() -> None:
    spec = entry("Qwen/Qwen3-Reranker-0.6B")
    tokenizer = Tokenizer.from_str(stand_in(spec).decode())
    ids = [tokenizer.token_to_id(word) for word in ("yes", "no", "<|im_start|>", "<|im_end|>")]
    assert len(set(ids)) == 4
    assert max(ids) < 151_669
    found = tokenizer.encode("<|im_start|>yes<|im_end|>")
    assert [found.tokens[0], found.tokens[-1]] == ["<|im_start|>", "<|im_end|>"]
    # A vocabulary too small to have `Yes` among its pieces gets it all the same.
    assert spec.network is not None
    small = replace(spec, head="yes", score_tokens=("Yes",), network=replace(spec.network, vocabulary=400))
    small = replace(small, specials=replace(spec.specials, pad=7))
    made = Tokenizer.from_str(stand_in(small).decode())
    assert made.get_vocab_size() == 400
    assert 0 <= made.token_to_id("Yes") < 400
