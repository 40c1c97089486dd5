"""The clinic served by worker processes that may be killed: `python -m tests.api.prefork WORKERS`.

Prints its port. The workers are forked from one process that has loaded everything, so a dead one is replaced at once.
"""

import os
import socket
import sys
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from django.core.wsgi import get_wsgi_application
from django.urls import resolve


class Quiet(WSGIRequestHandler):
    def log_message(self, *_):
        pass


class Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True

    def __init__(self, listening):
        super().__init__(listening.getsockname(), Quiet, bind_and_activate=False)
        self.socket.close()
        self.socket = listening
        self.server_name, self.server_port = listening.getsockname()
        self.setup_environ()


def main(workers: int) -> None:
    application = get_wsgi_application()
    resolve("/v1/appointments")  # imports all that answers, which each worker would do at its first request
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listening:
        print(listening.getsockname()[1], flush=True)
        for _ in range(workers):
            fork(listening, application)
        while True:
            os.wait()
            fork(listening, application)


def fork(listening, application):
    if os.fork() == 0:
        server = Server(listening)
        server.set_app(application)
        server.serve_forever()


if __name__ == "__main__":
    main(int(sys.argv[1]))
