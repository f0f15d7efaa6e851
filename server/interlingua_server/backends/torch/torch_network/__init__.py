"""A transformers network with its pooling or head, as the `torch` backend serves it and the exporter takes it.

It imports torch and transformers and nothing of this project, so that it runs in NVIDIA's container, too.
"""
