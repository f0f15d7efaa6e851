"""Names of what goes into a network or a service and comes out, in the graph and in Triton, and of their files."""

INPUT_IDS = "input_ids"
ATTENTION_MASK = "attention_mask"
TOKEN_TYPE_IDS = "token_type_ids"  # noqa: S105
EMBEDDING = "embedding"
SCORE = "score"
TOKEN_VECTORS = "token_vectors"  # noqa: S105
TOKENS = "tokens"  # of a text, before truncation
STAGES = "stage_us"  # waiting, tokenizing and computing, in microseconds

DEADLINE = "deadline_ms"  # parameters of a request: Unix milliseconds,
SENT = "sent_us"  # and microseconds

BULK = "bulk"  # parameter of a call to a network that nobody waits for in person

MODEL_FILE = "model.onnx"
DATA_FILE = "model.onnx.data"

TOKENIZER_FILE = "tokenizer.json"
PREPARED_FILE = "prepared_tokenizer"
"""Beside it: what a service loads in half the time (text/sealed.py)."""
