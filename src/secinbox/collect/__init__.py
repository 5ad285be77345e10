"""Reading the inventory of a cloud or a cluster through its API: writes the answers as they came.

What is written is what the importer reads; nothing is interpreted here. A package a provider; the
client libraries are optional and loaded when they are used.
"""
