"""A wing: small neural models, trained, asked and looked into.

What needs torch stands in ``net``; everything else here loads without it.
"""
