"""The periods in which a doctor's weekly hours stay the same, as a part of statements that estimate what is open."""

# Follows a CTE `hours` with the columns doctor_id, since and until: local dates, both included, infinite for an open
# end. `before` is the date on which the next period begins.
PERIODS_SQL = """
    SELECT doctor_id, since, lead(since, 1, date 'infinity') OVER (PARTITION BY doctor_id ORDER BY since) AS before
    FROM (SELECT doctor_id, since FROM hours UNION SELECT doctor_id, until + 1 FROM hours) AS cut
    WHERE since < 'infinity'
"""
