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


def exit_code(error: BaseException) -> tuple[int, str]:
    """Exit code and one line for a person: 2 for bad input, 130 when interrupted, 1 for a fault of ours."""
    if isinstance(error, InputError):
        return 2, " ".join(str(error).split())
    if isinstance(error, KeyboardInterrupt):
        return 130, "interrupted; the last good outputs are in place, run again to go on"
    if isinstance(error, OSError):
        return 2, f"{error.filename or 'file'}: {error.strerror or error}"
    return 1, f"internal fault: {type(error).__name__}: {error} (HOCKET_DEBUG=1 shows where)"
