"""Brazil: Django writes months in words, and begins weeks on Sunday."""

FIRST_DAY_OF_WEEK = 1
# As narrow as a list needs them, and as they are typed.
DATE_FORMAT = "d/m/Y"
DATETIME_FORMAT = "d/m/Y H:i"
