"""What a GPU makes of the networks: tokens a second, latency, and the share of its own matrix rate: `make bench-gpu`.

    card --matrix_rate--> FLOP/s by arithmetic ----------------------------------+
    catalogue --bench_models--> Checkpoint --torch_network | onnx_network--+     |
    helpdesk12 --length_mix--> token ids --rectangles--> calls ------------+--network_runs--> Row --tables--> Markdown
    NetworkShape --network_flops--> FLOPs of real tokens ------------------+

docs/gpu-benchmark.md says what each figure is.
"""
