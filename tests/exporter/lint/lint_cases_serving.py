"""Traps and mended twins: caches, instances, ensembles, services, warm-ups, memory and launch flags."""

from __future__ import annotations

from tests.exporter.lint.lint_repositories import (
    CPU,
    FP32_2,
    FROM_FILE,
    GOOD,
    GPU,
    ONNX_CPU,
    PY_IO,
    PYTHON,
    SOURCE,
    Case,
    Files,
    ensemble,
    ids_warm,
    onnx_model,
    python_model,
    served,
    service,
    step,
    warm,
)


def launched(bad: str, good: str, files: Files = GOOD) -> Case:
    return Case(files, files, {"launch": bad}, {"launch": good})


CACHED = "response_cache { enable: true } "
READS = SOURCE.replace("return []", "return [request.parameters() for request in requests]")
CALLS = SOURCE.replace("return []", 'return pb_utils.InferenceRequest(model_name="{}", inputs=[])')
CLOSED = "--http-address=127.0.0.1 --grpc-address=127.0.0.1"
BIG = PY_IO.replace("dims: 2", "dims: 1000000")
LIMITED = PYTHON.replace("count: 1", "count: 1 rate_limiter { priority: 1 }")


CASES: dict[str, Case] = {
    "CCH001": Case(python_model(CACHED + "model_transaction_policy { decoupled: true }"), python_model(CACHED)),
    "CCH002": Case(python_model(CACHED, READS), python_model("", READS)),
    "CCH003": launched("--grpc-port=1", "--cache-config=local,size=1048576", python_model(CACHED)),
    "INS001": Case(
        python_model(base=PYTHON.replace("count: 1", "count: 1 gpus: 0")),
        python_model(base=PYTHON.replace("KIND_CPU count: 1", "KIND_GPU count: 1 gpus: 0")),
    ),
    "INS002": Case(onnx_model(GPU), onnx_model(), {"gpu": False}),
    "INS003": Case(onnx_model(), onnx_model(GPU), {"gpu": True}),
    "INS004": Case(python_model(base=PYTHON.replace(CPU, "")), GOOD),
    "INS005": Case(
        onnx_model("instance_group { kind: KIND_CPU count: 2 }"),
        onnx_model(
            "instance_group { kind: KIND_CPU count: 2 } "
            'parameters { key: "intra_op_thread_count" value { string_value: "1" } }'
        ),
    ),
    "INS006": Case(
        onnx_model('parameters { key: "intra_op_thread_count" value { string_value: "two" } }'),
        onnx_model('parameters { key: "intra_op_thread_count" value { string_value: "2" } }'),
    ),
    "ENS001": Case(ensemble(steps=""), ensemble()),
    "ENS002": Case(ensemble(step("nowhere")), ensemble()),
    "ENS003": Case(ensemble(step(version=7)), ensemble(step(version=1))),
    "ENS004": Case(ensemble(batch=5), ensemble(batch=4)),
    "ENS005": Case(ensemble(step(takes="q")), ensemble()),
    "ENS006": Case(ensemble(step(fed="nothing")), ensemble()),
    "ENS007": Case(ensemble(io=PY_IO.replace("dims: 2", "dims: 5")), ensemble(io=PY_IO.replace("dims: 2", "dims: -1"))),
    "BLS001": Case(served(service(max_tokens=None)), served(service())),
    "BLS002": Case(served(service(network="gone")), served(service())),
    "BLS003": Case(served(service(versions="12")), served(service(versions="1"))),
    "BLS004": Case(served(service(network_inputs="ids,mask")), served(service())),
    "BLS005": Case(served(service(batch=9)), served(service(batch=8))),
    "BLS006": Case(
        served(service(), service("embed_document", digest="d2")), served(service(), service("embed_document"))
    ),
    "BLS007": Case(python_model(source=CALLS.format("gone")), python_model(source=CALLS.format("m"))),
    "WRM001": Case(warm(FROM_FILE), warm(FROM_FILE, f=bytes(8))),
    "WRM002": Case(warm(FROM_FILE, f=bytes(7)), warm(FROM_FILE, f=bytes(8))),
    "WRM003": Case(warm(FROM_FILE, f=bytes(9)), warm(FROM_FILE, f=bytes(8))),
    "WRM004": Case(
        warm("data_type: TYPE_FP32 dims: 3 zero_data: true"), warm("data_type: TYPE_FP32 dims: 2 zero_data: true")
    ),
    "WRM005": Case(warm(FP32_2), warm(FP32_2 + "zero_data: true")),
    "WRM006": Case(warm(FP32_2 + "zero_data: true", batch=5), warm(FP32_2 + "zero_data: true", batch=4)),
    "WRM007": Case(
        ids_warm("data_type: TYPE_INT64 dims: 4 random_data: true"),
        ids_warm('data_type: TYPE_INT64 dims: 4 input_data_file: "f"'),
    ),
    # 1 MiB for the instance and 4 x (1e6 + 1e6) x 4 bytes = 31.5 MiB
    "MEM001": Case(
        {**GOOD, "m/config.pbtxt": PYTHON + BIG},
        {**GOOD, "m/config.pbtxt": PYTHON + BIG},
        {"shm_size": 31 * 2**20},
        {"shm_size": 32 * 2**20},
    ),
    "MEM002": Case(GOOD, GOOD, {"shm_size": 64 * 2**20}, {"shm_size": 64 * 2**20 + 1}),
    "MEM003": Case(
        {**GOOD, "m/config.pbtxt": PYTHON.replace("count: 1", "count: 3") + BIG},
        {**GOOD, "m/config.pbtxt": PYTHON + BIG},
    ),
    "MEM004": Case(onnx_model(ONNX_CPU.replace('"0"', '"1"')), onnx_model(ONNX_CPU)),
    "LCH001": launched(
        "tritonserver --http-address 0.0.0.0 --grpc-address=127.0.0.1",
        "tritonserver --grpc-address=127.0.0.1 --http-address 0.0.0.0 "
        "--http-restricted-api=model-repository,shared-memory,trace,logging:key=value",
    ),
    "LCH002": launched(
        f"--model-control-mode=explicit {CLOSED}",
        f"--model-control-mode=explicit {CLOSED} --http-restricted-api=model-repository:k=v "
        "--grpc-restricted-protocol=model-repository:k=v",
    ),
    "LCH003": launched("--model-control-mode=poll", "--model-control-mode=none"),
    "LCH004": launched("tritonserver", "tritonserver --disable-auto-complete-config"),
    "LCH005": launched("--strict-model-config=true", "--disable-auto-complete-config"),
    "LCH006": launched("--metrics-address=0.0.0.0", "--metrics-address=127.0.0.1"),
    "LCH007": launched("--grpc-address=0.0.0.0", "--grpc-address=0.0.0.0 --grpc-use-ssl=true"),
    "LCH008": launched("--exit-on-error=false", "--exit-on-error=true"),
    "LCH009": launched("--rate-limit=off", "--rate-limit=execution_count", python_model(base=LIMITED)),
}
