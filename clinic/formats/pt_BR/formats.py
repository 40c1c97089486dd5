"""Brazil: weeks begin on Monday in a clinic's calendar, although on Sunday in Django's."""

FIRST_DAY_OF_WEEK = 1
