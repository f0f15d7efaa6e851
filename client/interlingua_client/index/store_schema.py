"""The tables of a store (document_store.py).

documents   a row a document, with all of its text
passages    a row a passage: where in the text it is, and its vector; its label is never used again
vector_sums, query_stand_ins, offsets    what language offsets are estimated from, and the ones in use
"""

from __future__ import annotations

SCHEMA = """
CREATE TABLE manifest (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE documents (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    language TEXT NOT NULL,
    digest BLOB NOT NULL,
    generation INTEGER NOT NULL,
    plan TEXT NOT NULL,
    title TEXT NOT NULL,
    lead TEXT,
    metadata TEXT NOT NULL,
    text TEXT NOT NULL
);
CREATE INDEX documents_by_language ON documents (language, plan);
CREATE TABLE passages (
    label INTEGER PRIMARY KEY AUTOINCREMENT,
    document INTEGER NOT NULL REFERENCES documents (number) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    start INTEGER NOT NULL,
    "end" INTEGER NOT NULL,
    heading TEXT NOT NULL,
    language TEXT NOT NULL,
    digest BLOB NOT NULL,
    generation INTEGER NOT NULL,
    vector BLOB NOT NULL
);
CREATE INDEX passages_by_document ON passages (document, position);
CREATE INDEX passages_by_language ON passages (language, digest, label, position);
CREATE TABLE vector_sums (language TEXT PRIMARY KEY, passages INTEGER NOT NULL, total BLOB NOT NULL);
CREATE TABLE query_stand_ins (
    label INTEGER PRIMARY KEY REFERENCES passages (label) ON DELETE CASCADE,
    vector BLOB NOT NULL
);
CREATE TABLE offsets (
    role TEXT NOT NULL, language TEXT NOT NULL, vector BLOB NOT NULL, PRIMARY KEY (role, language)
);
"""
