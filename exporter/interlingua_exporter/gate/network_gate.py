"""The gate on a network in a folder, whatever runs it.

folder --open_network--> session --ask_libraries, run_gate--> GateReport
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from interlingua_exporter.gate.library_gate import Libraries, ask_libraries
from interlingua_exporter.gate.parity import GateReport, run_gate
from interlingua_exporter.graphs.network_session import open_network

if TYPE_CHECKING:
    from pathlib import Path

    from interlingua.served.kinds import Precision
    from interlingua_exporter.gate.ranking_agreement import Values
    from interlingua_exporter.graphs.checkpoint import Checkpoint


def gate_network(
    checkpoint: Checkpoint,
    precision: Precision,
    folder: Path,
    threads: int,
    reference: Values | None = None,
    libraries: Libraries | None = None,
) -> GateReport:
    """Compare the network in a folder with torch, and torch with the libraries unless they were asked already.

    Arguments and errors as `run_gate`.
    """
    libraries = ask_libraries(checkpoint) if libraries is None else libraries
    session = open_network(folder, threads=threads, trust_remote_code=checkpoint.spec.remote_code)
    return run_gate(checkpoint, session, precision, reference, libraries)
