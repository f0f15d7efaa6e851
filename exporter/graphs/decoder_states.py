"""Token states of decoders: the code is the torch backend's (server/backends/torch), so that there is one copy."""

from server.backends.torch.torch_network.decoder_states import DecoderStates as DecoderStates
from server.backends.torch.torch_network.decoder_states import attention_bias as attention_bias
from server.backends.torch.torch_network.decoder_states import is_decoder as is_decoder
