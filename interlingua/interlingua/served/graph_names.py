"""The names that a network's inputs and outputs have, in the graph and in Triton, and those of its files and a
service's.
"""

INPUT_IDS = "input_ids"
ATTENTION_MASK = "attention_mask"
TOKEN_TYPE_IDS = "token_type_ids"  # noqa: S105
EMBEDDING = "embedding"
SCORE = "score"

MODEL_FILE = "model.onnx"
DATA_FILE = "model.onnx.data"

TOKENIZER_FILE = "tokenizer.json"
