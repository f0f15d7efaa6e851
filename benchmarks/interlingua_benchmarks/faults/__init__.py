"""Faults on real processes, a scenario a function: `python -m interlingua_benchmarks.faults NAME`.

ServedProcess (what is hurt) + HealthyClients (who must not notice, or be told) --scenario--> facts
"""
