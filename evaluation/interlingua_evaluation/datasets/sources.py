"""A name on the command line --> Dataset.

helpdesk12                    the corpus that comes with Interlingua
helpdesk12-codes              its questions for codes, among articles whose codes differ in a digit
gnome-help                    titles ask; pages that a page points to have grade 1
gnome-help-descriptions       summaries ask
debian-reference              titles of parts ask for long pages
ir_datasets:ID                any data set of the ir_datasets package that has judgments
mteb:TASK or mteb:TASK/SPLIT  any retrieval or reranking task of MTEB
FOLDER                        a folder in BEIR's layout
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from interlingua.base.debian_packages import ensure_package
from interlingua.base.errors import InputError
from interlingua_evaluation.data_folders import HELPDESK12
from interlingua_evaluation.datasets.beir.beir_folder import read_beir_folder
from interlingua_evaluation.datasets.code_variants import NAME as HELPDESK12_CODES
from interlingua_evaluation.datasets.code_variants import with_code_variants
from interlingua_evaluation.datasets.gnome_dataset import LANGUAGES, QueryKind, gnome_dataset
from interlingua_evaluation.datasets.gnome_help import PACKAGE
from interlingua_evaluation.datasets.ir_datasets_source import read_ir_datasets
from interlingua_evaluation.datasets.language_choice import in_languages, wanted_tags
from interlingua_evaluation.datasets.left_out import without_identical_ids
from interlingua_evaluation.datasets.manuals.debian_reference import LANGUAGES as LONG_PAGE_LANGUAGES
from interlingua_evaluation.datasets.manuals.debian_reference import NAME as DEBIAN_REFERENCE
from interlingua_evaluation.datasets.manuals.debian_reference import debian_reference
from interlingua_evaluation.datasets.mteb_source import read_mteb
from interlingua_evaluation.measures.gains import DEFAULT, Gains

if TYPE_CHECKING:
    from interlingua_evaluation.datasets.dataset import Dataset

NAMES = (
    "helpdesk12",
    "helpdesk12-codes",
    "gnome-help",
    "gnome-help-descriptions",
    DEBIAN_REFERENCE,
    "ir_datasets:ID",
    "mteb:TASK[/SPLIT]",
)

_IR_DATASETS, _MTEB = "ir_datasets", "mteb"


def open_dataset(
    name: str,
    *,
    gnome: Path | None = None,
    languages: Sequence[str] = (),
    gains: Gains = DEFAULT,
    ignore_identical_ids: bool = False,
) -> Dataset:
    """The dataset of that name.

    Args:
        name: one of NAMES, or a folder; `./helpdesk12` is a folder in any case.
        gnome: an unpacked gnome-user-docs; None to fetch it by apt-get into the cache.
        languages: BCP 47 tags; without any, all that the dataset has, but of GNOME help those ten that are nearly
            fully translated.
        ignore_identical_ids: no query finds the document that has its own id; tasks of MTEB say so themselves.
        gains: that the grades of a folder will have in nDCG: grades beyond their bound are refused.

    Raises:
        InputError: no such dataset or languages, or its data is wrong.
        ArchiveError: it could not be fetched.
    """
    opened = _opened(name, gnome, languages, gains)
    return without_identical_ids(opened) if ignore_identical_ids else opened


def _opened(name: str, gnome: Path | None, languages: Sequence[str], gains: Gains) -> Dataset:
    source, _, rest = name.partition(":")
    if name in ("gnome-help", "gnome-help-descriptions"):
        folder = ensure_package(PACKAGE) if gnome is None else gnome
        kind: QueryKind = "title" if name == "gnome-help" else "description"
        return gnome_dataset(folder, wanted_tags(languages) or LANGUAGES, queries=kind, see_also=True)
    if name == DEBIAN_REFERENCE:
        return debian_reference(wanted_tags(languages) or LONG_PAGE_LANGUAGES)
    if source == _MTEB and rest:
        task, _, split = rest.partition("/")
        return read_mteb(task, split or None, languages)
    if source == _IR_DATASETS and rest:
        return in_languages(read_ir_datasets(rest), languages)
    if name == HELPDESK12_CODES:
        return in_languages(with_code_variants(read_beir_folder(HELPDESK12, gains)), languages)
    folder = HELPDESK12 if name == "helpdesk12" else Path(name)
    if not folder.is_dir():
        raise InputError(
            f"there is no dataset {name!r}: name one of {', '.join(NAMES)}, or a folder with corpus.jsonl, "
            "queries.jsonl and qrels/test.tsv"
        )
    return in_languages(read_beir_folder(folder.resolve(), gains), languages)
