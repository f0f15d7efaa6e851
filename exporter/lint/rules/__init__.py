"""The rules, one module a subject; `exporter.lint.catalogue` lists them all."""
