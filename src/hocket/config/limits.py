"""How large one file may be. Every limit acts before anything is allocated that depends on it."""

from __future__ import annotations

from dataclasses import dataclass

from hocket.config.checks import positive


@dataclass
class Limits:
    """Bounds on one file and on one archive; what exceeds them goes to quarantine with the reason.

    Attributes:
        bytes: of one file, unpacked.
        notes: of one piece.
        tracks: chunks of a MIDI file, and tracks of a piece.
        ticks: of one piece; symusic counts them in 32 bits.
        seconds: of one piece (a 40-byte MIDI file can last 155 hours).
        quarters: of one piece, which bounds the beat grids of the views.
        patient_bytes: of a file that gets the slow second look.
        members: of one archive.
        archive_bytes: of one archive, unpacked.
        archive_ratio: unpacked over packed size of one member (a zip bomb is 1,000 and more).
    """

    bytes: int = 33_554_432
    notes: int = 1_000_000
    tracks: int = 1_000
    ticks: int = 2_000_000_000
    seconds: float = 21_600.0
    quarters: int = 200_000
    patient_bytes: int = 524_288
    members: int = 1_000_000
    archive_bytes: int = 17_179_869_184
    archive_ratio: float = 300.0

    def __post_init__(self) -> None:
        positive(self, *self.__dataclass_fields__)


DEFAULT = Limits()
