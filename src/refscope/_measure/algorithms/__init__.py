"""Pure functions on graphs of integers; no object of the program comes near them.

A graph is a sequence of successors: node ``v`` refers to every node in
``successors[v]``.  Nothing recurses, so depth does not matter.
"""
