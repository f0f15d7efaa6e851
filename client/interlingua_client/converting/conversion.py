"""Files to the lines of a corpus.

SourceFile --a reader by its kind--> Converted --language: its own, its place's, the user's, detected--> a line's fields
                     \\-> bad files, with the reason
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from interlingua.base.counted import counted
from interlingua.base.json_value import json_value
from interlingua_client.converting.converted import Converted, UnreadableFileError
from interlingua_client.converting.csv_table import csv_table
from interlingua_client.converting.decoded_text import decoded
from interlingua_client.converting.docx_file import docx_file
from interlingua_client.converting.help_desk import UnknownExportError, help_desk_export
from interlingua_client.converting.html_page import html_page
from interlingua_client.converting.markdown_file import markdown_file
from interlingua_client.converting.path_language import PathLanguages
from interlingua_client.converting.pdf_file import pdf_file
from interlingua_client.language_tag import UNDETERMINED, detected_as, normalize_tag
from interlingua_client.storable_text import storable

if TYPE_CHECKING:
    from interlingua_client.converting.source_files import FoundFiles, SourceFile

Fields = dict[str, object]


@dataclass(frozen=True, kw_only=True)
class FileReading:
    """How files are read.

    Attributes:
        language: of documents of which neither the file nor its place says one; "" to detect it.
        encoding: of text files that do not declare one; None for UTF-8.
        columns: a table's, by field (csv_table.py).
        at_most_bytes: of a file that is read as a whole; tables are read row by row.
    """

    language: str = ""
    encoding: str | None = None
    columns: Mapping[str, Sequence[str]] = field(default_factory=dict)
    at_most_bytes: int = 64_000_000


class BadFile(NamedTuple):
    """A file, or one document of it, that was left out, and why."""

    place: str
    reason: str


class Conversion:
    """A run over files.

    Attributes:
        bad_files: what was left out, filled while reading, as are
        languages: documents by language ("" where nobody can tell),
        detected: those of them whose language was detected,
        passed_over: files of other kinds by their suffixes,
        drafts: articles that are not published,
        repeated: documents that came again, with the same id and content.
    """

    def __init__(self, found: FoundFiles, reading: FileReading, detect: Callable[[str], str]) -> None:
        """`detect` names the language of a text."""
        self.bad_files: list[BadFile] = []
        self.languages: Counter[str] = Counter()
        self.detected: Counter[str] = Counter()
        self.passed_over: Counter[str] = Counter(found.passed_over)
        self.drafts = self.repeated = 0
        self._files, self._reading, self._detect = found.files, reading, detect
        self._places = PathLanguages([file.place for file in found.files])
        self._seen: dict[str, tuple[str, bytes]] = {}

    def lines(self, advance: Callable[[int], None] = lambda _: None) -> Iterator[Fields]:
        """The fields of each document's line; `advance` is told of every file."""
        for file in self._files:
            kept, reason = 0, ""
            try:
                for document in self._documents(file):
                    if fields := self._fields(document, file):
                        kept += 1
                        yield fields
            except UnknownExportError as error:
                if len(self._files) == 1:
                    reason = f"{error}"
                else:  # any JSON may lie in a folder
                    self.passed_over[file.path.suffix.lower()] += 1
            except RecursionError:
                reason = "it is nested too deeply"
            except (UnreadableFileError, ValueError, LookupError) as error:
                reason = f"{error}"
            except OSError as error:
                reason = f"cannot be read: {error.strerror or error}"
            if reason:
                before = f" ({counted(kept, 'document')} before that stay)" if kept else ""
                self.bad_files.append(BadFile(f"{file.place}", f"{reason}{before}"))
            advance(1)

    def _documents(self, file: SourceFile) -> Iterator[Converted]:
        size = file.path.stat().st_size
        if not size:
            raise UnreadableFileError("it is empty")
        if file.kind == "csv":
            yield from csv_table(file.path, self._reading.columns, self._reading.encoding)
            return
        if size > self._reading.at_most_bytes:
            allowed = self._reading.at_most_bytes / 1e6
            raise UnreadableFileError(f"it has {size / 1e6:,.0f} MB, more than {allowed:,.0f}: allow it with --max-mb")
        if file.kind == "pdf":
            yield pdf_file(file.path)
        elif file.kind == "docx":
            yield docx_file(file.path)
        elif file.kind == "html":
            yield html_page(file.path.read_bytes(), self._reading.encoding)
        elif file.kind == "markdown":
            text = decoded(file.path.read_bytes(), self._reading.encoding)
            yield markdown_file(text, is_plain=file.path.suffix.lower() == ".txt")
        else:
            exported = help_desk_export(decoded(file.path.read_bytes(), self._reading.encoding))
            self.drafts += exported.drafts
            yield from exported.documents

    def _fields(self, document: Converted, file: SourceFile) -> Fields | None:
        """The line's fields; None of a document that is left out."""
        place = f"{file.place}"
        id_ = " ".join(storable(document.id).split()) or place
        name = place if id_ == place else f"{place}, {id_}"
        try:
            said: Fields = {field: json_value(value, field) for field, value in document.fields().items()}
        except ValueError as error:
            self.bad_files.append(BadFile(name, f"{error}"))
            return None
        if not said["text"] and not (said["title"] and document.id):
            self.bad_files.append(BadFile(name, "it has no text"))
            return None
        whole = json.dumps([document.language, said], sort_keys=True)
        digest = hashlib.blake2b(whole.encode(), digest_size=16).digest()
        if id_ in self._seen:
            other, its_digest = self._seen[id_]
            if its_digest == digest:
                self.repeated += 1
            else:
                self.bad_files.append(BadFile(name, f"its id is that of another document already, in {other}"))
            return None
        self._seen[id_] = (place, digest)
        language = self._language(document, file, said)
        self.languages[language] += 1
        tagged: Fields = {"language": language} if language else {}
        if not said["text"]:  # beside a title alone `index` may take another field for the text
            said |= {"title": "", "text": said["title"]}
        return {"id": id_, **tagged, **said, "path": place}

    def _language(self, document: Converted, file: SourceFile, said: Mapping[str, object]) -> str:
        own = _tag(document.language) or self._places.of(file.place) or self._reading.language
        if own:
            return own
        found = self._detect(f"{said['title']}\n{said['text']}")
        if found == UNDETERMINED:
            return ""
        called = detected_as(found, [tag for tag, _ in self.languages.most_common() if tag]) or found
        self.detected[called] += 1
        return called


def _tag(said: str) -> str:
    """The tag of what a file says; "" where it says none ("{{ lang }}")."""
    try:
        return normalize_tag(said) if said.strip() else ""
    except ValueError:
        return ""
