"""A help collection of four pages in three languages, in GNOME's layout, written by hand."""

from __future__ import annotations

from pathlib import Path

_PAGE = """<?xml version="1.0" encoding="utf-8"?>
<!-- not a text -->
<page xmlns="http://projectmallard.org/1.0/" type="{type}" id="{id}">
  <info>
    <link type="guide" xref="index"/>
    <link type="seealso" xref="{see_also}"/>
    <desc>{desc}</desc>
    <title type="link">never read</title>
  </info>
  <title>{title}</title>
  <comment><cite>someone</cite><p>to be rewritten</p></comment>
  {body}
</page>
"""


def write_page(
    folder: Path,
    language: str,
    name: str,
    title: str,
    *paragraphs: str,
    desc: str = "",
    type_: str = "topic",
    see_also: str = "sound#volume",
) -> None:
    """One page; its paragraphs may hold Mallard's inline elements."""
    target = folder / "usr" / "share" / "help" / language / "gnome-help" / f"{name}.page"
    target.parent.mkdir(parents=True, exist_ok=True)
    body = "\n".join(f"<p>{paragraph}</p>" for paragraph in paragraphs)
    target.write_text(
        _PAGE.format(type=type_, id=name, desc=desc, title=title, body=body, see_also=see_also), encoding="utf-8"
    )


def write_help(folder: Path) -> Path:
    """English has four topics; German three of them, one by its title only; Swedish one."""
    write_page(folder, "C", "sound", "Turn the sound up", "Open <gui>Settings</gui>.", "Move the slider.", desc="Loud.")
    write_page(folder, "C", "screen", "Dim the screen", "Open the <link xref='x'>panel <em>now</em></link>.", "Dim it.")
    write_page(folder, "C", "mouse", "Slow the mouse down", "Click twice.", "Hold the button.")
    write_page(folder, "C", "disk", "Format a disk", "All is lost.")
    write_page(folder, "C", "index", "All help", "Pages.", type_="guide")
    write_page(folder, "de", "sound", "Lauter stellen", "Öffnen Sie die Einstellungen.", "Schieben.", desc="Laut.")
    write_page(folder, "de", "screen", "Bildschirm abdunkeln", "Öffnen Sie es.", "Dim it.")  # 2 of 3 texts
    write_page(folder, "de", "mouse", "Maus bremsen", "Click twice.", "Hold the button.")  # 1 of 3
    write_page(folder, "sv", "sound", "Turn the sound up", "Öppna.", "Dra.", desc="Högt.")  # all but its title
    write_page(folder, "sv", "mouse", "Sakta ner musen", "Klicka.", "Håll.")
    return folder
