"""How much traffic a server holds, without asking it: measured calls, the server's own batching rules, simulated time.

calibrate --executions--> service_time --> hardware_profile --+
                                                              v
demand --> workload --------------------------> simulator (batching, cores, searches) --> timeline --> planner
                                                     ^
tests/loadtest/closed_forms.py: what it agrees with --+
"""
