"""Errors the package raises on purpose; each message says what was given, what was expected and what to do."""


class RefAtomNetError(Exception):
    """Base of every error whose message is meant for the user, as one sentence."""


class VideoError(RefAtomNetError):
    """The video cannot be opened, decoded or written, or is outside the stated limits."""


class SentenceError(RefAtomNetError):
    """The sentence is empty, too long or says nothing the model can use."""


class CheckpointError(RefAtomNetError):
    """The checkpoint is unknown, damaged or does not fit this version."""


class OptionError(RefAtomNetError):
    """An option has a value that makes no sense, alone or with the others."""


class DataError(RefAtomNetError):
    """A data set folder or record does not follow the documented form."""


class Cancelled(RefAtomNetError):
    """The caller asked to stop; nothing was written."""
