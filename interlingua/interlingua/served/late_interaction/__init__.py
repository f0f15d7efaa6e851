"""Late interaction: what a side's texts become before the network, and what its rows weigh after it.

Imports nothing but the standard library, numpy, tokenizers and its neighbours in `served`.
"""
