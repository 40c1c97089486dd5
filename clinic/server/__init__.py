"""The web server: supervised worker processes that read a whole request before they use a thread of Django's.

`manage.py start` (a laptop) and `manage.py serve` (a deployment) both use it.
"""

from clinic.server.supervisor import MAX_WORKERS, WorkersNeverLoaded, serve, workers_for_this_machine

__all__ = ["MAX_WORKERS", "WorkersNeverLoaded", "serve", "workers_for_this_machine"]
