"""Instances of a network that bulk work leaves free for queries, in a configuration that is there.

ModelConfig of a network or a service, how many --give_spare--> instance groups, parameters
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from interlingua.repository.triton_config import kind_of, set_instances, spare_instances
from interlingua.served.service import SPARE_CALLS, SPARE_INSTANCES

if TYPE_CHECKING:
    from tritonclient.grpc import model_config_pb2 as pb


def give_spare(config: pb.ModelConfig, spare: int) -> None:
    """So many instances that bulk work leaves free: the network has them, its services count on them."""
    if config.backend == "text":
        _state(config, SPARE_CALLS, spare)
        return
    count = sum(group.count for group in config.instance_group) - spare_instances(config)
    _state(config, SPARE_INSTANCES, spare)
    set_instances(config, kind_of(config), count)


def _state(config: pb.ModelConfig, name: str, number: int) -> None:
    config.parameters.pop(name, None)
    if number:
        config.parameters[name].string_value = str(number)
