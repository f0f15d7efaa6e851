"""Traps and mended twins: layout, configuration, batching, tensors, ONNX and TensorRT."""

from __future__ import annotations

from onnx import TensorProto

from tests.exporter.lint.lint_repositories import (
    CPU,
    GOOD,
    GPU,
    INT8_IO,
    ONNX_CPU,
    PY_IO,
    PYTHON,
    SOURCE,
    Case,
    Content,
    aged,
    graph,
    int8_product,
    link,
    onnx_model,
    outside,
    plan,
    python_model,
    tensorrt,
)


def batching(text: str, base: str = PYTHON) -> dict[str, Content]:
    return python_model(f"dynamic_batching {{ {text} }}", base=base)


def two_caches(prefix: str) -> dict[str, Content]:
    return {**tensorrt("a", trt_engine_cache_prefix="p"), **tensorrt("b", trt_engine_cache_prefix=prefix)}


VERSIONS = {f"m/{number}/model.py": SOURCE for number in (1, 2)}
DELAYED = "default_queue_policy { default_timeout_microseconds: 9 timeout_action: DELAY }"
INT8_127, INT8_63 = (onnx_model(file=int8_product(weight), io=INT8_IO) for weight in (127, -63))
SINGLE_INPUT = 'input { name: "x" data_type: TYPE_FP32 dims: 2 } '
SCORE = 'output { name: "y" data_type: TYPE_FP16 dims: 1 }'


CASES: dict[str, Case] = {
    "REP001": Case({**GOOD, "gone": link("/nowhere/at-all")}, GOOD),
    "REP002": Case({**GOOD, ".git/HEAD": ""}, GOOD),
    "REP004": Case(python_model(name="two words"), python_model(name="two_words")),
    "REP005": Case({**GOOD, "m/1/extra": link("/nowhere/at-all")}, {**GOOD, "m/1/extra": link("model.py")}),
    "REP006": Case({**GOOD, "m/1/extra.py": outside}, {**GOOD, "m/1/extra.py": link("model.py")}),
    "REP007": Case({"m/config.pbtxt": PYTHON + PY_IO, "m/1/": ""}, GOOD),
    "REP008": Case(onnx_model(file=b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n"), onnx_model()),
    "CFG001": Case({**GOOD, "m/config.pbtxt": "input [ {"}, GOOD),
    "CFG002": Case({"m/1/model.py": SOURCE}, GOOD),
    "CFG003": Case(python_model('name: "other"'), python_model('name: "m"')),
    "CFG004": Case({"m/config.pbtxt": 'backend: "onnxruntime"', "m/1/model.onnx": graph()}, onnx_model()),
    "CFG005": Case(python_model(base=PYTHON.replace("4", "-1")), GOOD),
    "VER001": Case({**GOOD, "m/config.pbtxt": PYTHON + PY_IO + "version_policy { specific { versions: 5 } }"}, GOOD),
    "VER002": Case(
        python_model("version_policy { specific { versions: [1, 5] } }"),
        python_model("version_policy { specific { versions: [1] } }"),
    ),
    "VER003": Case({**GOOD, "m/02/model.py": SOURCE}, {**GOOD, "m/2/model.py": SOURCE}),
    "VER004": Case(
        {**python_model("version_policy { all { } }"), **VERSIONS},
        {**python_model("version_policy { specific { versions: [1, 2] } }"), **VERSIONS},
    ),
    "VER005": Case(
        {**GOOD, **VERSIONS}, {**python_model("version_policy { specific { versions: [1, 2] } }"), **VERSIONS}
    ),
    "VER006": Case(
        {**GOOD, "m/1/model.py": aged(10), "m/2/model.py": aged(1000)},
        {**GOOD, "m/1/model.py": aged(1000), "m/2/model.py": aged(10)},
    ),
    "BAT001": Case(batching("", PYTHON.replace("4", "0")), batching("")),
    "BAT002": Case(batching("preferred_batch_size: 8"), batching("preferred_batch_size: 4")),
    "BAT003": Case(batching("max_queue_delay_microseconds: 500"), batching("max_queue_delay_microseconds: 0")),
    "BAT004": Case(batching("max_queue_delay_microseconds: 100000"), batching("max_queue_delay_microseconds: 99999")),
    "BAT005": Case(batching("preferred_batch_size: 4"), batching("")),
    "BAT006": Case(onnx_model(ONNX_CPU + "dynamic_batching { }"), batching("")),
    "BAT007": Case(batching("priority_levels: 2"), batching("priority_levels: 2 default_priority_level: 1")),
    "QUE001": Case(batching("priority_levels: 2 default_priority_level: 1"), batching("")),
    "QUE002": Case(
        batching("default_queue_policy { max_queue_size: 8 }"),
        batching("default_queue_policy { timeout_action: DELAY }"),  # without a time it says nothing
    ),
    "QUE003": Case(
        batching("default_queue_policy { allow_timeout_override: true }"),
        batching("default_queue_policy { allow_timeout_override: true default_timeout_microseconds: 9 }"),
    ),
    "QUE004": Case(batching("priority_queue_policy { key: 1 value { max_queue_size: 3 } }"), batching("")),
    "QUE005": Case(batching(DELAYED), batching(DELAYED.replace("DELAY", "REJECT"))),
    "SHP001": Case({**GOOD, "m/config.pbtxt": PYTHON + PY_IO.replace("dims: 2", "dims: 0")}, GOOD),
    "SHP002": Case({**GOOD, "m/config.pbtxt": PYTHON + PY_IO.replace("data_type: TYPE_FP32", "")}, GOOD),
    "SHP003": Case(
        {**GOOD, "m/config.pbtxt": PYTHON + PY_IO.replace("dims: 2", "dims: 2 reshape { shape: [1, 3] }")},
        {**GOOD, "m/config.pbtxt": PYTHON + PY_IO.replace("dims: 2", "dims: 2 reshape { shape: [1, 2] }")},
    ),
    "SHP004": Case(python_model(SINGLE_INPUT), GOOD),
    "SHP005": Case(
        {**GOOD, "m/config.pbtxt": PYTHON + SINGLE_INPUT + SCORE},
        {**GOOD, "m/config.pbtxt": PYTHON + SINGLE_INPUT + SCORE.replace("FP16", "FP32")},
    ),
    "ONX001": Case(onnx_model(file=b"\xff\xfe no graph"), onnx_model()),
    "ONX002": Case(onnx_model(file=graph(names=("ids", "mask"))), onnx_model()),
    "ONX003": Case(onnx_model(file=graph(kind=TensorProto.INT32)), onnx_model()),
    "ONX004": Case(onnx_model(file=graph(shape=("batch", "length", 3))), onnx_model()),
    "ONX005": Case(onnx_model(file=graph(opset=27)), onnx_model(file=graph(opset=26, ir=13))),
    "ONX006": Case(
        onnx_model(file=graph(data="w.data"), w__data=bytes(15)),
        onnx_model(file=graph(data="w.data"), w__data=bytes(16)),
    ),
    "ONX007": Case(
        {**onnx_model(file=graph(data="../w.data")), "m/w.data": bytes(16)},
        onnx_model(file=graph(data="w.data"), w__data=bytes(16)),
    ),
    "TRT001": Case(tensorrt(accelerator="tensor_rt"), tensorrt()),
    "TRT002": Case(tensorrt(trt_engine_cache="1"), tensorrt()),
    "TRT003": Case(tensorrt(group=CPU), tensorrt()),
    "TRT004": Case(tensorrt(trt_engine_cache_enable="0"), tensorrt(trt_engine_cache_enable="true")),
    "TRT005": Case(tensorrt(trt_engine_cache_path=None), tensorrt()),
    "TRT006": Case(two_caches("p"), two_caches("q")),
    "TRT007": Case(plan(GPU), plan(GPU.replace("count: 1", 'count: 1 profile: "0"'))),
    "TRT008": Case(plan(GPU), onnx_model()),
    "PRF001": Case(
        tensorrt(trt_profile_min_shapes=None, trt_profile_opt_shapes=None, trt_profile_max_shapes=None), tensorrt()
    ),
    "PRF002": Case(tensorrt(trt_profile_min_shapes="ids:1,1"), tensorrt()),
    "PRF003": Case(tensorrt(trt_profile_opt_shapes=None), tensorrt()),
    "PRF004": Case(tensorrt(trt_profile_min_shapes="ids:1x65"), tensorrt(trt_profile_min_shapes="ids:1x64")),
    "PRF005": Case(tensorrt(trt_profile_max_shapes="ids:7x128"), tensorrt(trt_profile_max_shapes="ids:8x128")),
    "PRC001": Case(tensorrt(precision_mode="INT8"), tensorrt(precision_mode="FP32")),
    "PRC002": Case(tensorrt(precision_mode="half"), tensorrt(precision_mode="BF16")),
    "PRC003": Case(tensorrt(precision_mode="FP16"), tensorrt(precision_mode="FP16", trt_layer_norm_fp32_fallback="1")),
    "PRC004": Case(INT8_127, INT8_63, {"vnni": False}),
    "PRC005": Case(INT8_127, INT8_63),
}
