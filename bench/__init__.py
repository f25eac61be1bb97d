"""Speed against the alternative that a user would pick, both measured in CPU time in one run."""
