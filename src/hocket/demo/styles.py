"""Patterns of the demo's band: sixteen steps a bar, one character a step."""

from __future__ import annotations

from dataclasses import dataclass

KICK, SNARE, RIM, CLOSED, OPEN, RIDE, CRASH, LOW_TOM, HIGH_TOM, CLAP, SHAKER = (
    36,
    38,
    37,
    42,
    46,
    51,
    49,
    45,
    48,
    39,
    70,
)


@dataclass(frozen=True)
class Style:
    """How a band plays one style.

    Attributes:
        tempo: lowest and highest quarters a minute.
        swing: delay of every second eighth, as a share of an eighth (0..0.5).
        drums: pattern by drum: ``X`` accent, ``x`` hit, ``o`` ghost note, ``.`` rest.
        bass: ``1`` root, ``3`` third, ``5`` fifth, ``8`` octave, ``7`` seventh, ``-`` held.
        guitar, piano: ``x`` chord, ``1``..``4`` its tones from below, ``-`` held.
        progressions: one chord a bar, degree of the scale and quality.
        programmes: General MIDI numbers (0-127) of piano, guitar and bass.
    """

    tempo: tuple[int, int]
    swing: float
    drums: dict[int, str]
    bass: str
    guitar: str
    piano: str
    progressions: tuple[str, ...]
    programmes: tuple[int, int, int] = (0, 27, 33)


_POP = ("I V vi IV", "vi IV I V", "I vi IV V", "I iii IV V")
_MINOR = ("i VI III VII", "i iv VII III", "i VII VI V", "i iv i V")
_TWELVE = ("I7 I7 I7 I7 IV7 IV7 I7 I7 V7 IV7 I7 V7",)
_JAZZ = ("ii7 V7 IM7 vi7", "IM7 vi7 ii7 V7", "iii7 vi7 ii7 V7")

STYLES = {
    "pop_eight": Style(
        (96, 124), 0.0, {KICK: "X.......X.x.....", SNARE: "....X.......X...", CLOSED: "x.x.x.x.x.x.x.x."},
        "1---1-1-1---1-1-", "x---x-x-x---x-x-", "x-------x-------", _POP,
    ),
    "pop_ballad": Style(
        (62, 80), 0.0, {KICK: "X.......x.......", RIM: "....x.......x...", CLOSED: "x...x...x...x..."},
        "1-------5---1---", "1-2-3-2-4-3-2-3-", "x-------x---x---", _POP, (0, 24, 33),
    ),
    "rock_straight": Style(
        (116, 148), 0.0, {KICK: "X...x...X.x.....", SNARE: "....X.......X...", OPEN: "X...x...x...x..."},
        "1-1-1-1-1-1-1-1-", "x-x-x-x-x-x-x-x-", "x---------------",
        ("I IV V IV", "i VII VI VII", "I VII IV I"), (0, 29, 34),
    ),
    "rock_half_time": Style(
        (72, 92), 0.0, {KICK: "X.....x.........", SNARE: "........X.......", CLOSED: "x.x.x.x.x.x.x.x."},
        "1-----1-----5---", "x-----x---------", "x-------x-------", _MINOR, (4, 30, 34),
    ),
    "funk": Style(
        (92, 112), 0.08, {KICK: "X..x..x...x.....", SNARE: "....X..o.o..X..o", CLOSED: "xxxxxxxxxxxxxxxx"},
        "1..18..7.1.5..7.", "..x.x..x..x.x.x.", "....x-....x-..x.", ("i7 IV7", "I7 IV7", "i7 i7 iv7 V7"), (4, 28, 36),
    ),
    "disco": Style(
        (112, 126), 0.0,
        {KICK: "X...X...X...X...", SNARE: "....X.......X...", OPEN: "..x...x...x...x.", CLOSED: "x.......x......."},
        "1.8.1.8.1.8.1.8.", "..x...x...x...x.", "x-x...x-....x-..", _MINOR + _POP[:1], (0, 27, 33),
    ),
    "shuffle_blues": Style(
        (88, 126), 0.33, {KICK: "X.......X.......", SNARE: "....X.......X...", RIDE: "x.x.x.x.x.x.x.x."},
        "1-1-3-3-5-5-7-5-", "x-x-x-x-x-x-x-x-", "....x-......x-..", _TWELVE, (0, 26, 32),
    ),
    "slow_blues": Style(
        (60, 74), 0.33, {KICK: "X.......x.......", SNARE: "....x.......x...", RIDE: "x.x.x.x.x.x.x.x."},
        "1---3---5---3---", "1-2-3-4-x-------", "x-----x-x-----x-", _TWELVE, (0, 26, 32),
    ),
    "swing": Style(
        (120, 176), 0.33, {RIDE: "X...x.x.X...x.x.", CLOSED: "....x.......x...", KICK: "o.......o......."},
        "1---3---5---7---", "x---x---x---x---", "..x-......x-....", _JAZZ, (0, 26, 32),
    ),
    "bossa": Style(
        (112, 140), 0.0, {KICK: "X.....x.X.....x.", RIM: "x.....x.....x...", CLOSED: "x.x.x.x.x.x.x.x."},
        "1-----5-5-----1-", "x-..x-..x..x-...", "..x-....x-....x-", _JAZZ, (0, 24, 32),
    ),
    "reggae": Style(
        (68, 84), 0.12, {KICK: "........X.......", RIM: "........X.......", CLOSED: "x.x.x.x.x.x.x.x."},
        "1-..3-5-....1-..", "....x.......x...", "..x...x...x...x.", ("I IV", "i iv", "I V vi IV"), (16, 27, 33),
    ),
    "country": Style(
        (96, 126), 0.0, {KICK: "X.......X.......", SNARE: "..x.X.x...x.X.x.", CLOSED: "x...x...x...x..."},
        "1-------5-------", "1---x-x-3---x-x-", "....x-......x-..", ("I IV I V", "I I IV V", "I V IV I"), (0, 25, 32),
    ),
    "latin": Style(
        (92, 116), 0.0, {KICK: "X.....x.X.....x.", RIM: "x..x..x...x.x...", SHAKER: "xoxoxoxoxoxoxoxo"},
        "1.....5.--..8---", "x-..x-..x-..x-..", "1.2.3.1.2.3.1.2.", _MINOR, (0, 24, 32),
    ),
    "house": Style(
        (120, 128), 0.0, {KICK: "X...X...X...X...", CLAP: "....X.......X...", OPEN: "..x...x...x...x."},
        "..1...1...1...1.", "1.2.3.4.1.2.3.4.", "x..x..x...x..x..", _MINOR, (4, 27, 38),
    ),
    "soul": Style(
        (74, 98), 0.15, {KICK: "X.....x...x.....", SNARE: "....X.......X..o", CLOSED: "x.x.x.x.x.x.x.xx"},
        "1---..5-8-..7-5-", "..x-......x-....", "x---....x-..x---",
        ("ii7 V7 IM7 IM7", "IM7 iii7 vi7 ii7", "I7 IV7"), (4, 26, 33),
    ),
    "march": Style(
        (104, 120), 0.0, {KICK: "X.......X.......", SNARE: "..x.X.xxx.x.X.xx", CRASH: "X..............."},
        "1---5---1---5---", "..x...x...x...x.", "x---x---x---x---", ("I I V V", "I IV V I", "I V V I"), (0, 24, 32),
    ),
}  # fmt: skip
FILLS = (
    {SNARE: "........xxxxXXXX"},
    {HIGH_TOM: "........xx......", LOW_TOM: "..........xx....", SNARE: "............X.X."},
    {SNARE: "............xxxx", KICK: "X.......X......."},
    {HIGH_TOM: "........x.x.....", LOW_TOM: "............x.x.", KICK: "X..............."},
)
