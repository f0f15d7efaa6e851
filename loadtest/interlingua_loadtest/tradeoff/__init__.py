"""What quality costs: evaluations joined with simulated servers.

report.json + model repository --joined_report--> Setting ... --graph_quality--> one for each ef_search
Setting, HardwareProfile, IndexCost, Slo --setting_cost--> Cost
Setting, Cost, floors --front--> Row ... --make_tradeoff--> Tradeoff --tables, scatter--> terminal, JSON, page
"""
