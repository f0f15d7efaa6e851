"""Numbers that a service and those who ask it, measure it or predict it have in common."""

CALIBRATION_LENGTHS = (8, 64, 256)
"""Tokens of the lone calls by which a service measures its network."""

TEXTS_PER_REQUEST = 8
"""Texts that a client puts into a request: Triton's batcher joins requests as it likes, and one answer stays small."""

REQUESTS_IN_FLIGHT = 16
"""Requests that a client has under way for one task."""

OUTSTANDING_CALLS = 2
"""Calls that a service keeps under way at its network where its configuration does not say."""

MAX_BATCH_TEXTS = 64
"""Texts of a batch, and of a call, where an export does not say."""

MAX_BATCH_TOKENS = 1024
"""Padded tokens of a call on a CPU where an export does not say."""

GPU_BATCH_TOKENS = 16_384
"""The same on a GPU, which reaches its rate with large calls alone (docs/figures/gpu.md)."""

MAX_TEXT_BYTES = 65_536
"""UTF-8 bytes of a text, beyond which a service refuses it, where an export does not say."""

BULK_NICENESS = 10
"""What is added to the niceness of threads that do bulk work on a CPU: a tenth of a core beside a query's."""
