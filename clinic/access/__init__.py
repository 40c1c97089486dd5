"""Authentication, sessions and rate limits. This package knows no booking rule."""
