"""Portugal: Django's `pt` writes 2026-11-23 in inputs, begins weeks on Sunday and groups digits by dots."""

FIRST_DAY_OF_WEEK = 1
DATE_INPUT_FORMATS = ["%d/%m/%Y", "%d/%m/%y", "%Y-%m-%d"]
THOUSAND_SEPARATOR = "\N{NO-BREAK SPACE}"
