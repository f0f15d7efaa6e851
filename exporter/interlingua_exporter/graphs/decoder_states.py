"""Token states of decoders: the code is the torch backend's (interlingua_server/backends/torch), so that there is one
copy.
"""

from interlingua_server.backends.torch.torch_network.decoder_states import DecoderStates as DecoderStates
from interlingua_server.backends.torch.torch_network.decoder_states import attention_bias as attention_bias
from interlingua_server.backends.torch.torch_network.decoder_states import is_decoder as is_decoder
