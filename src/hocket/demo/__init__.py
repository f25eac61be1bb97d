"""The corpora of the demo profile, made of what the packages bring: folk tunes, chorales, rendered piano, bands."""
