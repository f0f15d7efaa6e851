"""Runs of a load test as figures: where the time goes, how latency grows with load, what differs between two runs.

folders --run_collection.py--> RecordedRun --run_figures.py, stage_budget.py--> RunFigures \\
        --load_curve.py--> curve and knee, --comparison.py--> differences with intervals   > Report
Report --terminal.py, page.py--> a terminal, one page;  --fail_under.py--> failures for CI
"""
