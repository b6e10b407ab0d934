"""Pure functions on integers; no object of the program comes near them.

Most are on graphs: sequences of successors, where node ``v`` refers to every node in
``successors[v]``.  Nothing recurses, so depth does not matter.
"""
