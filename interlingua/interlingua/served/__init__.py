"""What services, their exporter and their clients agree on: pure rules, the same code on both sides of Triton.

    limits, service, promotion, kinds, graph_names     standard library
    token_vectors                                      + numpy
    text/       texts to tokens to calls               + numpy, tokenizers
    late_interaction/  a text's side of a score        + numpy, tokenizers
    networks/   calls to vectors or scores             + numpy; torch and transformers where a file says so

It imports nothing else of ours and runs on Python 3.10: the embedded server and the container have it beside their
backends under this name.
"""
