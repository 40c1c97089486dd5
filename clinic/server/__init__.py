"""The web server: supervised worker processes, in which a request is read whole before a thread of Django's is taken.

`manage.py start` (a laptop) and `manage.py serve` (a deployment) both serve by it."""

from clinic.server.supervisor import MOST_WORKERS, WorkersNeverLoaded, serve, workers_for_this_machine

__all__ = ["MOST_WORKERS", "WorkersNeverLoaded", "serve", "workers_for_this_machine"]
