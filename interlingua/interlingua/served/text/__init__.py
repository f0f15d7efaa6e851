"""From texts to calls of a network.

TextRequest --tokenizer, template, marks--> tokens --batches: budget, cut, latest--> calls --collate--> int64 [n, L]
"""
