"""Is it music that came out? Silence, clipping and length, measured on the samples that were written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from hocket.report import Check

SILENT_DBFS = -60.0  # RMS under which nobody hears anything
CLIPPED_DBFS = -0.1  # a peak above it has lost its top
SLACK_S = 0.05  # a sample rate conversion moves the end by less


@dataclass(frozen=True)
class RenderResult:
    """What a rendered file holds.

    Attributes:
        duration_s: of the file.
        music_s: end of the last note; the file may ring on for at most `tail_s` more.
        tail_s: the bound on the tail.
        rms_dbfs, peak_dbfs: over both channels.
        loudness_lufs: integrated, ITU-R BS.1770.
        effects: whether the effects chain was played (pedalboard is installed and the chain is not empty).
        players: where tracks were played one by one, the plug-in or renderer of each by its number and name.
    """

    duration_s: float
    music_s: float
    tail_s: float
    rms_dbfs: float
    peak_dbfs: float
    loudness_lufs: float
    effects: bool
    players: dict[str, str] = field(default_factory=dict)

    @property
    def silent(self) -> bool:
        """Whether there is nothing to hear."""
        return self.rms_dbfs < SILENT_DBFS

    @property
    def clipped(self) -> bool:
        """Whether samples stand at full scale."""
        return self.peak_dbfs > CLIPPED_DBFS

    @property
    def right_length(self) -> bool:
        """Whether the file ends after the last note and within the tail."""
        return -SLACK_S <= self.duration_s - self.music_s <= self.tail_s + SLACK_S


def check_renders(results: Mapping[str, RenderResult]) -> list[Check]:
    """The three checks over all files by name; a failed one names its files.

    Silence and clipping are faults of one model, which `evaluation_promotion` refuses: they must not stop the others.
    """
    silent, clipped = f"RMS at least {SILENT_DBFS:g} dBFS", f"peak at most {CLIPPED_DBFS:g} dBFS"
    return [
        _check("no_silent_wav", results, lambda result: not result.silent, silent, blocking=False),
        _check("no_clipped_wav", results, lambda result: not result.clipped, clipped, blocking=False),
        _check("right_length", results, lambda result: result.right_length, "ends in the tail after the last note"),
    ]


def _check(
    name: str,
    results: Mapping[str, RenderResult],
    holds: Callable[[RenderResult], bool],
    rule: str,
    *,
    blocking: bool = True,
) -> Check:
    failed = sorted(file for file, result in results.items() if not holds(result))
    detail = f"{rule}: {len(results) - len(failed)} of {len(results)} files"
    return Check(name, not failed, blocking, detail=detail + (f"; not {', '.join(failed)}" if failed else ""))
