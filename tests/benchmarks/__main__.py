"""`python -m tests.benchmarks [--quick]`: measure, and print the tables of README.md. Takes a quarter of an hour."""

import argparse
import os
import secrets
import tempfile
from pathlib import Path

import django

from clinic.local import postgres

SIZES, QUICK_SIZES = [10_000, 100_000, 1_000_000], [700, 2_000, 6_000]
REPORT_SIZES = [100_000, 1_000_000]  # a year has to be stored
AUDITED, QUICK_AUDITED = [1_000_000], [10_000]  # appointments, each with ten entries
CLIENTS = [1, 4, 16]
PARTS = {
    "desk": "unchanged days and moves",
    "lists": "the lists of both APIs",
    "pages": "the day and the week",
    "searches": "the next free time and what is pending",
    "bookings": "bookings by the form and both APIs",
    "imports": "patients and appointments from spreadsheets",
    "reports": "reports over a month and a year",
    "audit": "the audit at ten million entries",
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a smoke run of three minutes; its figures mean little")
    only = parser.add_mutually_exclusive_group()
    for name, what in PARTS.items():
        only.add_argument(f"--{name}", action="store_true", help=f"{what} only")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="clinic-benchmarks-") as folder, postgres.running(Path(folder)) as server:
        os.environ |= {
            "ALLOWED_HOSTS": "127.0.0.1",
            "API_REQUESTS_A_MINUTE": "1000000",
            "API_REQUESTS_A_SECOND": "1000000",
            "CLINIC_DATA_DIR": folder,
            "DEBUG": "0",
            "DATABASE_URL": server,
            "DJANGO_SETTINGS_MODULE": "clinic.settings",
            "PLAIN_HTTP": "1",
            "SIGN_INS_A_MINUTE": "1000000",
            "SIGN_INS_OF_NAME_AN_HOUR": "1000000",
            "SECRET_KEY": secrets.token_urlsafe(48),
            "STATIC_ROOT": f"{folder}/static",
        }
        django.setup()
        from tests.benchmarks.run import run  # noqa: PLC0415 - it imports models, which need the settings

        sizes = QUICK_SIZES if arguments.quick else SIZES
        if arguments.reports:
            sizes = REPORT_SIZES[:1] if arguments.quick else REPORT_SIZES
        if arguments.audit:
            sizes = QUICK_AUDITED if arguments.quick else AUDITED
        part = next((name for name in PARTS if getattr(arguments, name)), "")
        for table in run(server, sizes, CLIENTS, quick=arguments.quick, only=part):
            print(table, end="\n\n", flush=True)


if __name__ == "__main__":
    main()
