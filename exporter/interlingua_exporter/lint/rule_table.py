"""docs/lint.md from the rules' own texts: `python -m interlingua_exporter.lint.rule_table` writes it anew."""

from __future__ import annotations

import sys

from interlingua.base.errors import InputError
from interlingua.base.paths import PROJECT_ROOT, checkout
from interlingua.base.whole_file import whole
from interlingua_exporter.lint.catalogue import SUBJECTS

DOCUMENT = PROJECT_ROOT / "docs" / "lint.md"

_HEAD = """\
# Lint

`interlingua lint [REPOSITORY]` reads a Triton model repository, ours or anybody's, and says what will not load, what
will hurt, and what to look at, each with why and the lines to write instead. It reads config.pbtxt through Triton's own
protobuf, ONNX files (of their weights the int8 matrices alone), and names and sizes of everything else; it runs and
changes nothing.

```
interlingua lint                                     # model_repository
interlingua lint /models --no-gpu --shm-size 64m     # and where it will be served
interlingua lint /models --launch "tritonserver --model-control-mode=explicit --http-address=0.0.0.0"
interlingua lint --explain QUE002
interlingua lint --ignore MEM004 --select BAT,QUE --strict --json
```

| severity | means | exit code |
|---|---|---|
| error | it does not load, or every request fails | 1 |
| warning | it works, and costs time, memory or safety | 0; 1 with `--strict` |
| note | files alone cannot tell: look at it | 0 |

Wrong use, and a repository that cannot be read, exit with 2. `--select` and `--ignore` take codes or their beginnings,
several with commas or repeated. `--json` prints one object: `repository`, `models`, `findings` (`code`, `severity`,
`model`, `file`, `field`, `what`, `why`, `mend`) and the `counts` of each severity. The ONNX rules need the export
extra; without it `skipped` says so.

What "does not load" says of configurations, versions, ensembles, sequences, ragged batches and warm-ups was tried on
Triton 24.10 (`tests/end_to_end/test_lint_and_loader.py` asks it again, with a hundred small repositories); the rules of
TensorRT and of queues were read in the sources that they name.
"""


def document() -> str:
    """The whole of docs/lint.md."""
    parts = [_HEAD]
    for subject, rules in SUBJECTS.items():
        rows = [f"| {rule.code} | {rule.severity} | {_cell(rule.title)} | {_cell(rule.why)} |" for rule in rules]
        parts.append(f"## {subject}\n\n| code | severity | what | why |\n|---|---|---|---|\n" + "\n".join(rows) + "\n")
    return "\n".join(parts)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    try:
        checkout("docs/lint.md")
    except InputError as error:
        sys.exit(f"error: {error}")
    with whole(DOCUMENT) as partial:
        partial.write_text(document(), encoding="utf-8")
