"""`interlingua adapt corpus`: sections, aligned across languages or not, into a work folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from interlingua_cli.adapt import work_option
from interlingua_client.corpus import tag_remarks

if TYPE_CHECKING:
    from interlingua_adaptation.work_folder import WorkFolder

_LANGUAGES = "en,es,de,fr,pt-BR,ru,cs,sv,el,ja,zh-CN,ko,hi"
_TRUNCATION_NOTE = "Texts that are longer than the network reads are counted by the next step, which has a tokenizer."


@click.command()
@click.argument("documents", required=False, metavar="[DOCUMENTS]")
@click.option("--libreoffice", is_flag=True, help="LibreOffice's help, from Debian's packages, in place of DOCUMENTS.")
@click.option(
    "--languages", help=f"Languages of LibreOffice's help, with commas between them.  [default: {_LANGUAGES}]"
)
@click.option(
    "--from",
    "folder",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="Folder with LibreOffice's help (usr/share/libreoffice/help), where it is not to be fetched.",
)
@work_option
@click.option("--skip-bad", is_flag=True, help="Leave bad lines of DOCUMENTS out and count them, rather than stop.")
@click.option("--replace", is_flag=True, help="Also where lists were already mined from another corpus.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object at the end.")
def command(
    documents: str | None,
    libreoffice: bool,
    languages: str | None,
    folder: Path | None,
    work: WorkFolder,
    skip_bad: bool,
    replace: bool,
    as_json: bool,
) -> None:
    """Make a corpus of DOCUMENTS (JSON lines: id, text, title, language, group), or of LibreOffice's help.

    Documents of one group are translations of each other; without groups nothing is aligned.
    """
    if bool(documents) == libreoffice:
        raise click.UsageError("give either DOCUMENTS or --libreoffice")
    if documents and (languages or folder):
        raise click.UsageError("--languages and --from belong to --libreoffice")
    if libreoffice:
        facts = _libreoffice(work, (languages or _LANGUAGES).split(","), folder, replace=replace)
    else:
        facts = _own(work, str(documents), skip_bad=skip_bad, replace=replace)
    click.echo(json.dumps(facts, ensure_ascii=False) if as_json else _summary(facts, work))


def _libreoffice(work: WorkFolder, languages: list[str], folder: Path | None, *, replace: bool) -> dict[str, Any]:
    from interlingua_adaptation.corpus_step import libreoffice_help
    from interlingua_adaptation.corpus_step.corpus import make_corpus

    tags = libreoffice_help.chosen(languages)
    roots = [folder] if folder else [_fetched(name) for name in libreoffice_help.packages(tags)]
    sections = libreoffice_help.read_sections(roots, tags)
    return make_corpus(
        sections, work, source="LibreOffice help", licence=libreoffice_help.LICENCE, aligned=True, replace=replace
    )


def _fetched(package: str) -> Path:
    from interlingua.base.debian_packages import ensure_package
    from interlingua_adaptation.corpus_step.libreoffice_help import LICENCE

    click.echo(f"Debian package {package} (texts: {LICENCE})", err=True)
    return ensure_package(package)


def _own(work: WorkFolder, documents: str, *, skip_bad: bool, replace: bool) -> dict[str, Any]:
    from interlingua_adaptation.corpus_step.corpus import make_corpus
    from interlingua_adaptation.corpus_step.corpus_lines import sections_of
    from interlingua_client.corpus import GroupedCorpus
    from interlingua_client.search.query_language import LanguageDetector

    corpus = GroupedCorpus(documents, LanguageDetector().tag_of, skip_bad=skip_bad)
    facts = make_corpus(sections_of(corpus), work, source=documents, licence="", replace=replace)
    return {
        **facts,
        "bad_lines": [bad._asdict() for bad in corpus.bad_lines],
        "detected_languages": dict(corpus.detected),
        "unregistered_languages": dict(corpus.unregistered),
    }


def _summary(facts: dict[str, Any], work: WorkFolder) -> str:
    languages = facts["languages"]
    licence = f", licence {facts['licence']}" if facts["licence"] else ""
    lines = [
        f"{sum(languages.values())} sections in {facts['groups']} groups, {facts['aligned_groups']} of them in several "
        f"languages{licence}; {work.corpus}",
        "languages: " + ", ".join(f"{tag} {number}" for tag, number in languages.items()),
        "left out: " + ", ".join(f"{number} {reason}" for reason, number in facts["left_out"].items()),
    ]
    lines += tag_remarks(facts.get("detected_languages", {}), facts.get("unregistered_languages", {}))
    if bad := facts.get("bad_lines"):
        lines.append(f"{len(bad)} bad lines left out:")
        lines += [f"  line {line['number']}: {line['reason']}" for line in bad[:10]]
    if not facts["aligned_groups"]:
        lines.append(_consequence(languages))
    lines.append(_TRUNCATION_NOTE)
    return "\n".join(lines)


def _consequence(languages: dict[str, int]) -> str:
    what = "There is one language only" if len(languages) == 1 else "No document has a translation (`group`)"
    return f"{what}: the reranker learns these documents and their wording, but nothing across languages."
