"""A network behind a service: what our backends for networks share, and the one that torch runs.

requests --request_groups--> batches --ServedNetwork (Description, assembly, graph) on torch--> vectors or scores

Of these only request_groups, request_faults and tensorrt_provider do without torch.
"""
