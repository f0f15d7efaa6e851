"""The network as Triton serves it: the code is the torch backend's (server/backends/torch), there is one copy."""

from server.backends.torch.torch_network.graph import EmbedderGraph as EmbedderGraph
from server.backends.torch.torch_network.graph import LastTokenReranker as LastTokenReranker
from server.backends.torch.torch_network.graph import RerankerGraph as RerankerGraph
from server.backends.torch.torch_network.graph import pool as pool
