"""Portugal: Django's `pt` writes 2026-11-23 in inputs and months in words, begins weeks on Sunday and groups digits by
dots."""

FIRST_DAY_OF_WEEK = 1
DATE_INPUT_FORMATS = ["%d/%m/%Y", "%d/%m/%y", "%Y-%m-%d"]
THOUSAND_SEPARATOR = "\N{NO-BREAK SPACE}"
# As narrow as a list needs them, and as they are typed.
DATE_FORMAT = "d/m/Y"
DATETIME_FORMAT = "d/m/Y H:i"
