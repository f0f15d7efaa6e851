"""A report on the disk.

FOLDER/report.html  for people, alone: it can be sent
       report.json  the same for machines
       values.npz   every list's values, for `interlingua compare`
       runs/        TREC runs and judgments, for trec_eval and its kin
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from interlingua.base.errors import InputError
from interlingua.base.record_file import write_record
from interlingua.base.whole_file import whole
from interlingua_evaluation.report.model import DECIMALS, FORMAT
from interlingua_evaluation.report.pages.page import page
from interlingua_evaluation.systems.trec_run import write_qrels, write_run

if TYPE_CHECKING:
    from interlingua_evaluation.evaluate import Evaluation

PAGE, JSON, RUNS = "report.html", "report.json", "runs"


def write_report(evaluation: Evaluation, folder: Path) -> None:
    """Write all of it; an earlier report in that folder is replaced, file by file.

    Raises:
        InputError: the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for run in evaluation.runs:
            write_run(run.lists, folder / RUNS, str(run.name))
        write_qrels(evaluation.runs[0].lists, folder / RUNS)
        evaluation.findings.values.save(folder)
        write_record(folder / JSON, evaluation.report, made_format=FORMAT, decimals=DECIMALS)
        with whole(folder / PAGE) as partial:
            partial.write_text(page(evaluation.report), encoding="utf-8")
    except OSError as error:
        raise InputError(f"cannot write the report to {folder}: {error}") from error
