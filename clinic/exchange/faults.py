"""What is wrong with a file or a run as a whole, in one sentence for who sent it."""


class ImportRefused(Exception):
    """Raised when nothing was written; `str()` is the sentence, in the active language."""
