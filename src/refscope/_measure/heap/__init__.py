"""The objects of the process: counted and searched, refscope's own left out."""
