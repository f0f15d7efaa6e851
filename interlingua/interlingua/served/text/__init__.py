"""From texts to calls of a network.

TextRequest --tokenizer, template, marks--> tokens --batches: plan_calls--> calls --collate--> int64 [n, L]
"""
