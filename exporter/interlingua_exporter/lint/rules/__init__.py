"""The rules, one module a subject; `interlingua_exporter.lint.catalogue` lists them all."""
