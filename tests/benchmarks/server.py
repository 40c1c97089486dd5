"""`python -m tests.benchmarks.server PORT`: the web server as `manage.py start` runs it, with the bare views added."""

import sys

import django

if __name__ == "__main__":
    django.setup()
    from clinic.server import serve, workers_for_this_machine

    serve("127.0.0.1", int(sys.argv[1]), workers_for_this_machine(), "tests.benchmarks.bare:application")
