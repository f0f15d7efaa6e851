"""Load on Interlingua's services, for Locust.

    locust -f loadtest/locustfile.py --host 127.0.0.1:8001                         Locust's page and its own users
    locust -f loadtest/locustfile.py --host ... --headless --rate 20 --seconds 60  an open loop
    locust -f loadtest/locustfile.py --host ... --headless --rate 500 --processes 2

docs/loadtest.md has the options. Importing locust has patched the standard library for gevent; gRPC has to be told
before its first channel, and nowhere but in the generator.
"""

from __future__ import annotations

import grpc.experimental.gevent  # type: ignore[import-untyped]
from locust import events

from interlingua_loadtest.generator.users import EmbedDocumentUser, EmbedQueryUser, RerankUser, SearchUser, set_up
from interlingua_loadtest.traffic.run_settings import RunSettings

__all__ = ["EmbedDocumentUser", "EmbedQueryUser", "RerankUser", "SearchUser"]

grpc.experimental.gevent.init_gevent()
# gRPC wakes whoever waits for an answer ten times a second, for the sake of signal handlers, which gevent runs anyhow:
# with a thousand requests in flight that would be the generator's main work.
grpc._common.MAXIMUM_WAIT_TIMEOUT = 10.0
events.init_command_line_parser.add_listener(RunSettings.add_to)  # type: ignore[no-untyped-call]
events.init.add_listener(set_up)  # type: ignore[no-untyped-call]
