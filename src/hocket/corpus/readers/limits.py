"""Bounds of the score readers, checked before anything is allocated for what they bound."""

BASE_TICKS = 10_080  # 2^5 * 3^2 * 5 * 7: 128th notes and tuplets of 3, 5, 6, 7 and 9 are whole numbers of ticks
MAX_TICKS_PER_QUARTER = 10_000_000
MIDI_TICKS_PER_QUARTER = 32_767  # 15 bits; above it a piece is reduced as far as its notes allow
MAX_TEXT = 8_000_000  # characters of one piece
MAX_XML = 64_000_000  # bytes of one score, after unpacking
MAX_NOTES = 500_000  # after repeats
MAX_QUARTERS = 200_000  # 28 hours at 120
MAX_PASSES = 16  # of one repeated section
MAX_STRETCHES = 10_000
MAX_SPINES = 256
MAX_NUMBER = 6  # digits of one number in a score
