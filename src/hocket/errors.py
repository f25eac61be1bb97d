"""The two kinds of failure that a person sees: their input is at fault, or we are."""


class InputError(Exception):
    """A mistake of the caller's: one line that says which file or key, what is wrong, and what to do.

    Command lines print the line alone and exit with 2; any other exception is a fault of ours and exits with 1.
    """


class ConfigError(InputError):
    """A configuration key that is unknown, of the wrong type, or out of range."""


class MusicError(InputError):
    """One music file that cannot become notes.

    Args:
        reason: the class of the fault, a key of `hocket.corpus.quarantine.REASONS` (for example ``"truncated"``).
        message: one sentence for a person.
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
