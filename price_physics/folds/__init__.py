"""Labels -> purged splits, and the role of every training sample in each.

Nothing here sees a price: a split knows intervals of time and nothing else.
"""
