"""Print what find_leaks says of ``programs.py``, all of it or some by name.

In a short file of its own: for each block that tracemalloc traces it looks for the line
of each frame, from the first of its code on (3.11 and later), and the last line of a
long file takes as long as all the rest.
"""

from __future__ import annotations

import atexit
import json
import sys
from importlib import util
from pathlib import Path


NAME = "leaky_programs"

spec = util.spec_from_file_location(NAME, Path(__file__).with_name("programs.py"))
module = util.module_from_spec(spec)
sys.modules[NAME] = module
spec.loader.exec_module(module)
print(json.dumps(module.run_all(sys.argv[1:])))  # noqa: T201
atexit._clear()
