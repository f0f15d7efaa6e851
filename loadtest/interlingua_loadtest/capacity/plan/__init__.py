"""From traffic and an objective to hardware: how many replicas, how much memory, what it costs, and what breaks first.

traffic_file --> planned_traffic --text_lengths--> Demand --+
profile files, gpu_profile --> hardware --instances--> ServerLayout --+--> make_plan --> records --> words, page, JSON
"""
