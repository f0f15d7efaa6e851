# Of Triton's model_config.proto, what is read and written here. Values of enums are plain ints, as protobuf has them.
from abc import ABCMeta
from collections.abc import MutableMapping, MutableSequence
from typing import Any, Generic, Self, TypeVar

_K = TypeVar("_K")
_M = TypeVar("_M", bound=_Message)

class _Message:
    DESCRIPTOR: Any
    def __init__(self, **fields: Any) -> None: ...
    def CopyFrom(self, other: Self) -> None: ...
    def ClearField(self, name: str) -> None: ...
    def HasField(self, name: str) -> bool: ...
    def WhichOneof(self, name: str) -> str | None: ...
    def ListFields(self) -> list[tuple[Any, Any]]: ...
    def SerializeToString(self, *, deterministic: bool = ...) -> bytes: ...
    def MergeFrom(self, other: Self) -> None: ...
    def ParseFromString(self, serialized: bytes) -> int: ...

class _Messages(MutableSequence[_M], metaclass=ABCMeta):
    def add(self, **fields: Any) -> _M: ...

class _MessageMap(MutableMapping[_K, _M], Generic[_K, _M], metaclass=ABCMeta):
    def get_or_create(self, key: _K) -> _M: ...

class _Enum:
    def Name(self, number: int) -> str: ...
    def Value(self, name: str | None) -> int: ...
    def keys(self) -> list[str]: ...
    def values(self) -> list[int]: ...
    def items(self) -> list[tuple[str, int]]: ...

DataType: _Enum
TYPE_INVALID: int
TYPE_BOOL: int
TYPE_UINT8: int
TYPE_UINT16: int
TYPE_UINT32: int
TYPE_UINT64: int
TYPE_INT8: int
TYPE_INT16: int
TYPE_INT32: int
TYPE_INT64: int
TYPE_FP16: int
TYPE_FP32: int
TYPE_FP64: int
TYPE_STRING: int
TYPE_BF16: int

class ModelRateLimiter(_Message):
    class Resource(_Message):
        name: str
        # global: bool
        count: int

    resources: _Messages[ModelRateLimiter.Resource]
    priority: int

class ModelInstanceGroup(_Message):
    Kind: _Enum
    KIND_AUTO: int
    KIND_GPU: int
    KIND_CPU: int
    KIND_MODEL: int
    name: str
    kind: int
    count: int
    rate_limiter: ModelRateLimiter
    gpus: MutableSequence[int]
    profile: MutableSequence[str]
    passive: bool
    host_policy: str

class ModelTensorReshape(_Message):
    shape: MutableSequence[int]

class ModelInput(_Message):
    Format: _Enum
    FORMAT_NONE: int
    FORMAT_NHWC: int
    FORMAT_NCHW: int
    name: str
    data_type: int
    format: int
    dims: MutableSequence[int]
    reshape: ModelTensorReshape
    is_shape_tensor: bool
    allow_ragged_batch: bool
    optional: bool
    is_non_linear_format_io: bool

class ModelOutput(_Message):
    name: str
    data_type: int
    dims: MutableSequence[int]
    reshape: ModelTensorReshape
    label_filename: str
    is_shape_tensor: bool
    is_non_linear_format_io: bool

class ModelVersionPolicy(_Message):
    class Latest(_Message):
        num_versions: int

    class All(_Message): ...

    class Specific(_Message):
        versions: MutableSequence[int]

    latest: ModelVersionPolicy.Latest
    all: ModelVersionPolicy.All
    specific: ModelVersionPolicy.Specific

class ModelOptimizationPolicy(_Message):
    class Graph(_Message):
        level: int

    class ExecutionAccelerators(_Message):
        class Accelerator(_Message):
            name: str
            parameters: MutableMapping[str, str]

        gpu_execution_accelerator: _Messages[ModelOptimizationPolicy.ExecutionAccelerators.Accelerator]
        cpu_execution_accelerator: _Messages[ModelOptimizationPolicy.ExecutionAccelerators.Accelerator]

    ModelPriority: _Enum
    PRIORITY_DEFAULT: int
    PRIORITY_MAX: int
    PRIORITY_MIN: int
    graph: ModelOptimizationPolicy.Graph
    priority: int
    execution_accelerators: ModelOptimizationPolicy.ExecutionAccelerators
    gather_kernel_buffer_threshold: int
    eager_batching: bool

class ModelQueuePolicy(_Message):
    TimeoutAction: _Enum
    REJECT: int
    DELAY: int
    timeout_action: int
    default_timeout_microseconds: int
    allow_timeout_override: bool
    max_queue_size: int

class ModelDynamicBatching(_Message):
    preferred_batch_size: MutableSequence[int]
    max_queue_delay_microseconds: int
    preserve_ordering: bool
    priority_levels: int
    default_priority_level: int
    default_queue_policy: ModelQueuePolicy
    priority_queue_policy: _MessageMap[int, ModelQueuePolicy]

class ModelSequenceBatching(_Message):
    class Control(_Message):
        Kind: _Enum
        CONTROL_SEQUENCE_CORRID: int
        kind: int
        int32_false_true: MutableSequence[int]
        fp32_false_true: MutableSequence[float]
        bool_false_true: MutableSequence[bool]
        data_type: int

    class ControlInput(_Message):
        name: str
        control: _Messages[ModelSequenceBatching.Control]

    class InitialState(_Message):
        data_type: int
        dims: MutableSequence[int]
        zero_data: bool
        data_file: str
        name: str

    class State(_Message):
        input_name: str
        output_name: str
        data_type: int
        dims: MutableSequence[int]
        initial_state: _Messages[ModelSequenceBatching.InitialState]

    class StrategyDirect(_Message):
        minimum_slot_utilization: float

    class StrategyOldest(_Message):
        preferred_batch_size: MutableSequence[int]

    direct: ModelSequenceBatching.StrategyDirect
    oldest: ModelSequenceBatching.StrategyOldest
    max_sequence_idle_microseconds: int
    control_input: _Messages[ModelSequenceBatching.ControlInput]
    state: _Messages[ModelSequenceBatching.State]
    iterative_sequence: bool

class ModelEnsembling(_Message):
    class Step(_Message):
        model_name: str
        model_version: int
        input_map: MutableMapping[str, str]
        output_map: MutableMapping[str, str]
        model_namespace: str

    step: _Messages[ModelEnsembling.Step]
    max_inflight_requests: int

class ModelParameter(_Message):
    string_value: str

class ModelWarmup(_Message):
    class Input(_Message):
        data_type: int
        dims: MutableSequence[int]
        zero_data: bool
        random_data: bool
        input_data_file: str

    name: str
    batch_size: int
    inputs: _MessageMap[str, ModelWarmup.Input]
    count: int

class ModelTransactionPolicy(_Message):
    decoupled: bool

class ModelResponseCache(_Message):
    enable: bool

class BatchInput(_Message):
    target_name: MutableSequence[str]
    data_type: int
    source_input: MutableSequence[str]

class BatchOutput(_Message):
    target_name: MutableSequence[str]
    source_input: MutableSequence[str]

class ModelConfig(_Message):
    name: str
    platform: str
    backend: str
    runtime: str
    version_policy: ModelVersionPolicy
    max_batch_size: int
    input: _Messages[ModelInput]
    output: _Messages[ModelOutput]
    batch_input: _Messages[BatchInput]
    batch_output: _Messages[BatchOutput]
    optimization: ModelOptimizationPolicy
    dynamic_batching: ModelDynamicBatching
    sequence_batching: ModelSequenceBatching
    ensemble_scheduling: ModelEnsembling
    instance_group: _Messages[ModelInstanceGroup]
    default_model_filename: str
    cc_model_filenames: MutableMapping[str, str]
    metric_tags: MutableMapping[str, str]
    parameters: _MessageMap[str, ModelParameter]
    model_warmup: _Messages[ModelWarmup]
    model_transaction_policy: ModelTransactionPolicy
    response_cache: ModelResponseCache
