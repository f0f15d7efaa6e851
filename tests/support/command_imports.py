"""What the commands that tests run import when they come to it; the fork server of command_line.py has it at once."""

import pkgutil
from contextlib import suppress
from importlib import import_module

for root in ("interlingua_cli", "interlingua_client", "interlingua_evaluation", "interlingua_exporter"):
    for module in pkgutil.walk_packages(import_module(root).__path__, f"{root}."):
        with suppress(ImportError):  # a package that is not installed here
            import_module(module.name)
for name in ("bert", "xlm_roberta"):
    import_module(f"transformers.models.{name}.modeling_{name}")
import_module("sentence_transformers")  # of the gate
