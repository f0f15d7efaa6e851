"""How requests wait and batches are made: dynamic batching, queues, sequences, ragged batches."""
