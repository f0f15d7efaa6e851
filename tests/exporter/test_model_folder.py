"""Reading a model folder: what its own files say, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from interlingua.base.errors import InputError
from interlingua_exporter.models.resolve import resolve
from interlingua_exporter.weights import checkpoint_folder, sources
from interlingua_exporter.weights.checkpoint_folder import Overrides
from interlingua_exporter.weights.statements.sentence_layout import read_layout

MakeFolder = Callable[..., Path]


def config_folder(folder: Path, **files: object) -> Path:
    """A folder of JSON files: `modules__json`-style keys become names."""
    defaults: dict[str, object] = {"config": {"architectures": ["BertModel"], "max_position_embeddings": 512}}
    for name, value in (defaults | files).items():
        path = folder / f"{name.replace('__', '/')}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(value if isinstance(value, str) else json.dumps(value), encoding="utf-8")
    return folder


def modules(*rows: tuple[str, str]) -> list[dict[str, object]]:
    return [{"idx": i, "name": str(i), "path": path, "type": kind} for i, (kind, path) in enumerate(rows)]


SENTENCE = modules(("sentence_transformers.models.Transformer", ""), ("sentence_transformers.models.Pooling", "1_P"))


def test_sentence_transformers_layout(tmp_path: Path) -> None:
    folder = config_folder(
        tmp_path,
        config={"model_type": "bert", "architectures": ["BertModel"], "max_position_embeddings": 512},
        modules=[*SENTENCE, *modules(("sentence_transformers.models.Normalize", "2_N"))],
        **{"1_P__config": {"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": False}},
        sentence_bert_config={"max_seq_length": 128, "do_lower_case": True},
        config_sentence_transformers={"prompts": {"query": "q: ", "passage": "p: "}},
    )
    (folder / "README.md").write_text("---\nlanguage: en\nlicense: mit\n---\n# A model\n")
    layout = read_layout(folder)
    facts = layout.embedding
    assert (layout.role, facts.pooling, facts.normalize, layout.lowercase) == ("embedder", "cls", True, True)
    assert (facts.query_prompt, facts.document_prompt) == ("q: ", "p: ")
    assert (layout.window, layout.licence) == (128, "mit")


def test_plain_transformers_folder_says_nothing_about_pooling(tmp_path: Path) -> None:
    layout = read_layout(config_folder(tmp_path))
    assert (layout.embedding.pooling, layout.embedding.normalize, layout.window) == (None, False, 512)


@pytest.mark.parametrize(
    ("pooling", "expected"),
    [
        ({"pooling_mode_mean_tokens": True, "pooling_mode_cls_token": False}, "mean"),
        ({"embedding_dimension": 8, "pooling_mode": "cls", "include_prompt": True}, "cls"),
        ({"pooling_mode_lasttoken": True, "pooling_mode_mean_tokens": False}, "last"),
    ],
    ids=["flags", "name", "last token"],
)
def test_both_forms_of_the_pooling_file(tmp_path: Path, pooling: dict[str, object], expected: str) -> None:
    layout = read_layout(config_folder(tmp_path, modules=SENTENCE, **{"1_P__config": pooling}))
    assert layout.embedding.pooling == expected


@pytest.mark.parametrize(
    ("files", "message"),
    [
        pytest.param({"config": "{"}, "is not JSON", id="broken config"),
        pytest.param({"config": "[]"}, "not a JSON object", id="config is a list"),
        pytest.param({"modules": modules(("x.Transformer", "../elsewhere"))}, "outside", id="escape"),
        pytest.param({"modules": modules(("x.Transformer", ""), ("x.Dense", "2"))}, "Dense", id="dense"),
        pytest.param({"modules": "[1]"}, "not a list of modules", id="broken modules"),
        pytest.param({"modules": '[{"type": "x.Transformer", "path": null}]'}, "which are texts", id="no path"),
        pytest.param({"modules": SENTENCE}, r"1_P/config\.json is missing", id="no pooling file"),
    ],
)
def test_what_cannot_be_exported_is_named(tmp_path: Path, files: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_layout(config_folder(tmp_path, **files))


def test_a_folder_without_a_model(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"config\.json is missing"):
        checkpoint_folder.load(tmp_path)


def test_a_loaded_folder(make_folder: MakeFolder) -> None:
    checkpoint = checkpoint_folder.load(make_folder("xlm-roberta", pooling="cls", prompts={"query": "q: "}))
    spec = checkpoint.spec
    assert (spec.id, spec.role, spec.pooling, spec.normalize) == ("tiny-xlm-roberta", "embedder", "cls", False)
    assert (spec.query_prompt, spec.document_prompt, spec.max_tokens) == ("q: ", "", 96)
    assert (checkpoint.dimension, checkpoint.vocabulary, checkpoint.pad_token_id) == (32, 600, 1)
    assert checkpoint.inputs == ("input_ids", "attention_mask")
    assert checkpoint.notes == ()


def test_a_plain_folder_says_what_was_assumed(make_folder: MakeFolder) -> None:
    checkpoint = checkpoint_folder.load(make_folder("bert"))
    assert (checkpoint.spec.pooling, checkpoint.spec.normalize) == ("mean", True)
    assert "nothing about pooling" in checkpoint.notes[0]


def test_options_go_before_the_folder(make_folder: MakeFolder) -> None:
    folder = make_folder("bert", pooling="mean", prompts={"query": "q: "})
    chosen = Overrides(pooling="cls", query_prompt="", document_prompt="d: ", max_tokens=32)
    spec = checkpoint_folder.load(folder, overrides=chosen).spec
    assert (spec.pooling, spec.query_prompt, spec.document_prompt, spec.max_tokens) == ("cls", "", "d: ", 32)


def test_more_tokens_than_the_model_has_positions(make_folder: MakeFolder) -> None:
    with pytest.raises(InputError, match="beyond the model's own 96"):
        checkpoint_folder.load(make_folder("bert"), overrides=Overrides(max_tokens=97))


def test_a_classifier_with_two_labels(make_folder: MakeFolder) -> None:
    with pytest.raises(InputError, match="2 labels"):
        checkpoint_folder.load(make_folder("bert", labels=2))


def test_token_types_are_an_input_where_the_cross_encoder_has_several(make_folder: MakeFolder) -> None:
    bert = checkpoint_folder.load(make_folder("bert", labels=1))
    assert (bert.spec.role, bert.output, bert.dimension) == ("reranker", "score", 1)
    assert bert.inputs == ("input_ids", "attention_mask", "token_type_ids")
    assert checkpoint_folder.load(make_folder("xlm-roberta", labels=1)).inputs == ("input_ids", "attention_mask")


def test_weights_of_another_network_are_not_filled_up_with_random_ones(make_folder: MakeFolder) -> None:
    folder = make_folder("bert")
    config = json.loads((folder / "config.json").read_text())
    config |= {"architectures": ["BertForSequenceClassification"], "id2label": {"0": "relevance"}}
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(InputError, match=r"classifier\.bias"):
        checkpoint_folder.load(folder)


def test_damaged_weights(make_folder: MakeFolder) -> None:
    folder = make_folder("bert")
    (folder / "model.safetensors").write_bytes(b"\x00" * 64)
    with pytest.raises(InputError, match="cannot be loaded"):
        checkpoint_folder.load(folder)


def test_a_model_with_code_of_its_own_is_not_run(make_folder: MakeFolder, tmp_path: Path) -> None:
    folder = make_folder("bert")
    trace = tmp_path / "ran"
    (folder / "evil.py").write_text(f"open({str(trace)!r}, 'w')\nclass Model: pass\nclass Config: pass\n")
    config = json.loads((folder / "config.json").read_text())
    config |= {"model_type": "unheard-of", "auto_map": {"AutoModel": "evil.Model", "AutoConfig": "evil.Config"}}
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(InputError, match="--trust-remote-code"):
        checkpoint_folder.load(folder)
    assert not trace.exists()


def test_no_tokenizer(make_folder: MakeFolder) -> None:
    folder = make_folder("bert")
    (folder / "tokenizer.json").unlink()
    with pytest.raises(InputError, match="tokenizer"):
        checkpoint_folder.load(folder)


def test_lower_casing_moves_into_the_tokenizer(make_folder: MakeFolder) -> None:
    folder = make_folder("bert", pooling="mean")
    plain = checkpoint_folder.load(folder).text_encoder()
    (folder / "sentence_bert_config.json").write_text('{"max_seq_length": 64, "do_lower_case": true}')
    lowering = checkpoint_folder.load(folder).text_encoder()
    text = "The Library OPENS"
    assert lowering.encode([text]) == plain.encode([text.lower()]) != plain.encode([text])


@pytest.mark.parametrize("name", ["no-such-model", "./no/such/folder", "a/b/c", "-/x"])
def test_what_is_no_model_at_all(name: str) -> None:
    with pytest.raises(InputError, match="intfloat/multilingual-e5-small"):
        sources.load(resolve(name), Overrides())


def test_the_hub_without_a_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(InputError, match="could not be fetched from the Hub"):
        sources.load(resolve("interlingua-tests/no-such-model"), Overrides())


def test_options_do_not_bend_a_catalogue_model() -> None:
    with pytest.raises(InputError, match="catalogue model"):
        sources.load(resolve("multilingual-e5-small"), Overrides(pooling="cls"))
