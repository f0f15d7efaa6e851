"""The users that Locust runs.

    EmbedQueryUser, EmbedDocumentUser, RerankUser, SearchUser   ask, wait for the answer, ask again: a closed loop,
                                                                as Locust's users are
    ScheduledUser                                               one a worker; runs that worker's share of a schedule

All ask through their process's one `Asker` (generator_process.py), which records every request and tells Locust of it:
the response time is the latency from the scheduled moment.
"""

from __future__ import annotations

import logging
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import gevent
from locust import User, constant, runners, task
from locust.exception import StopUser

from interlingua.base.errors import InputError, InterlinguaError
from interlingua_loadtest.generator.generator_process import GeneratorProcess
from interlingua_loadtest.generator.open_loop import pause_if_failed
from interlingua_loadtest.generator.processes import FAILURE_FILE
from interlingua_loadtest.generator.rendezvous import MeetingShape
from interlingua_loadtest.traffic.run_settings import RunSettings

if TYPE_CHECKING:
    from interlingua_loadtest.generator.timed_request import Asker

_LOG = logging.getLogger(__name__)
# A worker that reads a large dataset sends no heartbeat meanwhile.
_HEARTBEATS_MISSED = 120
_CANNOT_RUN = 4


class _ClosedLoopUser(User):
    abstract = True
    wait_time = constant(0)
    kind: ClassVar[str]

    def on_start(self) -> None:
        process = self.environment.interlingua
        self._asker: Asker | None = None
        try:
            self._asker, self._stream = process.asker, process.stream(self.kind)
            self._asker.require(self.kind)
        except InterlinguaError as error:
            _give_up(self.environment, str(error))

    @task
    def ask(self) -> None:
        """The next text, as soon as the last one is answered."""
        if self._asker is None:
            raise StopUser  # here, since Locust prints a traceback for any error in on_start
        pause_if_failed(self._asker.send(next(self._stream)))


class EmbedQueryUser(_ClosedLoopUser):
    """Has queries embedded."""

    kind = "embed_query"


class EmbedDocumentUser(_ClosedLoopUser):
    """Has documents embedded, one a request."""

    kind = "embed_document"


class RerankUser(_ClosedLoopUser):
    """Has `--depth` documents scored against a query."""

    kind = "rerank"


class SearchUser(_ClosedLoopUser):
    """Searches an index: embeds, finds, reranks `--depth` candidates. Needs `--index`."""

    kind = "search"


class ScheduledUser(User):
    """Runs one worker's share of the schedule, once."""

    abstract = True  # Locust is not to pick it by itself

    @task
    def run_share(self) -> None:
        """Prepare, wait for the others, run, say so."""
        process = self.environment.interlingua
        try:
            run = process.prepared()
            run(process.worker.await_start())
        except InterlinguaError as error:
            process.worker.fail(str(error))
        except Exception as error:
            _LOG.error("%s", traceback.format_exc())
            process.worker.fail(f"{type(error).__name__}: {error}")
        else:
            process.worker.finish()
        raise StopUser


def set_up(environment: Any, **_: Any) -> None:
    """When Locust has read its command line: choose the users, and the shape where there is a schedule.

    Ends the process with exit code 3 where the options do not fit together.
    """
    runners.HEARTBEAT_LIVENESS = _HEARTBEATS_MISSED
    try:
        settings = RunSettings.of_options(environment.parsed_options)
        _choose_users(environment, settings)
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
    process = environment.interlingua = GeneratorProcess(environment)
    environment.events.test_start.add_listener(lambda **_: process.begin())
    environment.events.test_stop.add_listener(lambda **_: _end(process))


def _choose_users(environment: Any, settings: RunSettings) -> None:
    if isinstance(environment.runner, runners.WorkerRunner):
        environment.user_classes = [*environment.user_classes, ScheduledUser]
        return
    if settings.mode != "users":
        environment.user_classes = [ScheduledUser]
        shape = MeetingShape(environment.runner, ScheduledUser, lambda why: _note_failure(environment, settings, why))
        environment.shape_class = shape
        return
    if SearchUser in environment.user_classes and not settings.index:
        if environment.parsed_options.user_classes:
            raise InputError("SearchUser needs --index: make one with `interlingua index`")
        _LOG.warning("no --index was given: there are no SearchUsers")
        environment.user_classes = [user for user in environment.user_classes if user is not SearchUser]


def _end(process: GeneratorProcess) -> None:
    process.end_share()
    process.disconnect()


def _note_failure(environment: Any, settings: RunSettings, reason: str) -> None:
    _LOG.error("%s", reason)
    environment.process_exit_code = _CANNOT_RUN
    if settings.record:
        (Path(settings.record) / FAILURE_FILE).write_text(reason + "\n", encoding="utf-8")


def _give_up(environment: Any, reason: str) -> None:
    """Stop a run of Locust's own users, saying why once."""
    if not getattr(environment, "interlingua_gave_up", False):
        environment.interlingua_gave_up = True
        _LOG.error("%s", reason)
        environment.process_exit_code = _CANNOT_RUN
        gevent.spawn(environment.runner.quit if environment.parsed_options.headless else environment.runner.stop)
