"""The network as Triton serves it: the code is the torch backend's (interlingua_server/backends/torch), there is one
copy.
"""

from interlingua_server.backends.torch.torch_network.graph import EmbedderGraph as EmbedderGraph
from interlingua_server.backends.torch.torch_network.graph import LastTokenReranker as LastTokenReranker
from interlingua_server.backends.torch.torch_network.graph import RerankerGraph as RerankerGraph
from interlingua_server.backends.torch.torch_network.graph import pool as pool
