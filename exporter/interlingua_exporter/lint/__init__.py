"""Traps of Triton, ONNX Runtime and TensorRT that a model repository's files show.

It lies beside the exporter because it reads what the exporter writes, with the exporter's own reader of config.pbtxt
and with `onnx` from the export extra; the server's start-up path stays free of both.
"""

from interlingua_exporter.lint.catalogue import RULES
from interlingua_exporter.lint.finding import SEVERITIES, Finding, Rule
from interlingua_exporter.lint.launch_line import LaunchLine
from interlingua_exporter.lint.linter import lint
from interlingua_exporter.lint.repository import LintSettings, Repository

__all__ = ["RULES", "SEVERITIES", "Finding", "LaunchLine", "LintSettings", "Repository", "Rule", "lint"]
