"""Schema of conf/corpus: one file per corpus, keyed by its own name, because the group is gathered."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from hocket.config.checks import one_of, require
from hocket.config.limits import Limits

ROLES = ("performance", "tunes", "melodies", "band", "grooves", "scores")
ORIGINS = ("recorded", "score", "rendered", "generated")
FORMATS = ("midi", "abc", "kern", "musicxml", "irishman")
LAYOUTS = ("plain", "maestro", "asap", "groove", "lmd", "irishman", "essen", "pop909")
OFFICIAL_SPLITS = ("", "table", "file")
MIB = 1 << 20


@dataclass
class CorpusConfig:
    """Where a corpus comes from and how it is laid out.

    Attributes:
        name: the same as the key in conf/corpus.
        roles: what it can feed; the profile says what it does feed.
        origin: recorded, score, rendered or generated; stands in every table, plot and leaderboard row.
        format: what its files are: midi, abc, kern, musicxml, or irishman (JSON of ABC texts).
        layout: how the archive is arranged and where its metadata stands.
        archive: file name, with a folder before it where the bare name says too little (``irishman/train.json``).
        built: hocket builds it into data/ itself; otherwise it is fetched.
        sha256: of the archive; empty means that no published one could be confirmed, and that the first download is
            pinned instead.
        size_bytes: of the archive, 0 when unknown; a download may not exceed it.
        max_download_mib: bound on a download of unknown size.
        urls: tried in turn; empty for what only `HOCKET_MIRROR` has.
        licence: what may be done with the files.
        citation: whom to name.
        homepage: where a person reads more.
        official_split: where the authors' own split stands: in the layout's ``table`` (CSV column ``split``), in the
            name of the ``file`` (train.json), or empty for none, and then hocket splits by work.
        include: globs of the members to read; everything of `format` when empty.
        limits: bounds of `hocket.config.limits.Limits` that are others for this corpus than conf/engine says.
    """

    name: str
    origin: str
    format: str
    archive: str
    licence: str
    citation: str
    roles: list[str] = field(default_factory=list)
    layout: str = "plain"
    built: bool = False
    sha256: str = ""
    size_bytes: int = 0
    max_download_mib: int = 4096
    urls: list[str] = field(default_factory=list)
    homepage: str = ""
    official_split: str = ""
    include: list[str] = field(default_factory=list)
    limits: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        one_of(self, "origin", ORIGINS)
        one_of(self, "format", FORMATS)
        one_of(self, "layout", LAYOUTS)
        one_of(self, "official_split", OFFICIAL_SPLITS)
        for role in self.roles:
            require(role in ROLES, "roles", f"has {role!r}, must be among {', '.join(ROLES)}")
        parts = self.archive.split("/")
        require(all(part not in {"", ".", ".."} for part in parts), "archive", f"is {self.archive!r}, not a file name")
        require(not self.sha256 or _is_sha256(self.sha256), "sha256", f"is {self.sha256!r}, not 64 hexadecimal digits")
        require(self.size_bytes >= 0, "size_bytes", "must not be negative")
        require(self.max_download_mib > 0, "max_download_mib", "must be greater than 0")
        for url in self.urls:
            schemes = ("https://", "http://", "file://")
            require(url.startswith(schemes), "urls", f"has {url!r}, must begin with {', '.join(schemes)}")
        unknown = sorted(set(self.limits) - set(Limits.__dataclass_fields__))
        require(not unknown, "limits", f"has {unknown}, must be among {', '.join(Limits.__dataclass_fields__)}")
        for name, value in self.limits.items():
            require(value > 0, f"limits.{name}", f"is {value:g}, must be greater than 0")
        require(not (self.built and self.urls), "urls", "must be empty for a corpus that hocket builds")

    def limits_from(self, general: Limits) -> Limits:
        """The limits that hold for this corpus."""
        return replace(general, **{k: type(getattr(general, k))(value) for k, value in self.limits.items()})

    @property
    def max_bytes(self) -> int:
        """The most bytes that a download of the archive may have."""
        return self.size_bytes or self.max_download_mib * MIB


def _is_sha256(text: str) -> bool:
    return re.fullmatch(r"[0-9a-f]{64}", text) is not None
