"""Every error that refscope raises on purpose.

::

    RefscopeError
      InvalidArgumentError  (ValueError)           a value that cannot be meant
      ArgumentTypeError     (TypeError)            a thing of the wrong kind
      TrackingError         (RuntimeError)         a block cannot be opened or closed
      ReportNotReadyError   (RuntimeError)         a block has no report, or not yet
      NotMeasuredError      (LookupError)          the block was skipped
      AddressError          (LookupError)          no object is known to be there
      ImmortalError         (TypeError)            an immortal object has no count
      MergeError            (ValueError)           reports that do not add up
      ReportFormatError     (ValueError)           a file that is no report
        NewerFormatError                           a report of a later refscope
      UnsupportedRuntimeError (NotImplementedError)  this Python cannot do it

Each class also inherits the built-in that a caller would expect, and its
message holds the value that was wrong and the way out.
"""

from __future__ import annotations


class RefscopeError(Exception):
    """Base of all errors of refscope."""


class InvalidArgumentError(RefscopeError, ValueError):
    """An argument has a value that cannot be meant."""


class ArgumentTypeError(RefscopeError, TypeError):
    """An argument is of a kind that cannot be used here."""


class TrackingError(RefscopeError, RuntimeError):
    """A block cannot be opened, or is closed twice."""


class ReportNotReadyError(RefscopeError, RuntimeError):
    """The report was asked for before its block ended, or the block was cut short."""


class NotMeasuredError(RefscopeError, LookupError):
    """The block was one of those that ``every=n`` skips."""


class AddressError(RefscopeError, LookupError):
    """No live object could be found at the address."""


class ImmortalError(RefscopeError, TypeError):
    """The count of an immortal object was asked for as a number."""


class MergeError(RefscopeError, ValueError):
    """The reports cannot be merged or compared."""


class ReportFormatError(RefscopeError, ValueError):
    """The text or file is not a report that can be read."""


class NewerFormatError(ReportFormatError):
    """The report was written by a later version of refscope."""


class UnsupportedRuntimeError(RefscopeError, NotImplementedError):
    """This Python implementation or build cannot answer the question."""
