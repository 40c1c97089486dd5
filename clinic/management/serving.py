"""Shared by `start` and `serve`: find a free address, and serve at it."""

import socket
from collections.abc import Callable

from django.core.management import CommandError
from django.db import connection

from clinic.server import WorkersNeverLoaded, serve


def free_address(host: str, port: int) -> str:
    """Return the numeric address of `host` on which `port` is free. Raises CommandError.

    The server itself would not notice a used port: it shares it with any process of the same user that allows sharing.
    """
    if not 0 < port < 65536:
        raise CommandError(f"There is no port {port}: use one from 1 to 65535.")
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        raise CommandError(f"Cannot listen on {host}, port {port}: {error.strerror}") from None
    return str(address[0])


def serve_until_stopped(address: str, port: int, workers: int, *, when_open: Callable[[], None] | None = None) -> None:
    """Serve until a stop signal; `when_open` is that of `serve`. Raises CommandError when no worker ever loads the
    application."""
    # The workers are forked and must not share this process's connections.
    connection.close()
    connection.close_pool()  # type: ignore[attr-defined]  # of PostgreSQL's connection, not in the stubs
    try:
        serve(address, port, workers, when_open=when_open)
    except WorkersNeverLoaded:
        raise CommandError("The web server's workers keep failing; their errors are above.") from None
