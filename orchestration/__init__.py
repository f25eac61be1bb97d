"""The house around the library: Dagster says when and shows, DVC says whether. No music is computed here."""
