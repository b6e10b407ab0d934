"""What only type checkers need, at no cost at run time.

``typing_extensions`` would take a twentieth of refscope's import.
"""

from __future__ import annotations

import typing
from typing import TYPE_CHECKING, TypeVar


F = TypeVar("F")

if TYPE_CHECKING:
    from typing_extensions import Self, override
else:
    Self = getattr(typing, "Self", typing.Any)  # 3.11+

    def override(method: F) -> F:
        """Mark a method as ``typing.override`` does."""
        method.__override__ = True
        return method


__all__ = ["Self", "override"]
