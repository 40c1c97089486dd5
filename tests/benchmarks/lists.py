"""The APIs' lists, free times and changes: flat whatever is stored, and a late page no slower than the first."""

import json
from collections import defaultdict
from dataclasses import dataclass
from datetime import date, timedelta
from urllib.parse import quote, urlencode
from urllib.request import Request, urlopen

from clinic.management.demo import bulk
from clinic.models import Clinic, Doctor, Procedure
from tests.benchmarks import day_page
from tests.benchmarks.api import Program
from tests.benchmarks.day_page import Times
from tests.benchmarks.houses import House
from tests.benchmarks.load import Generator

LATE = 12  # the page that is measured beside the first
SINCE = {"updatedSince": "2000-01-01T00:00:00Z"}


@dataclass(frozen=True)
class Asked:
    """A list by its address; `has_pages` if a late page of it is measured, too."""

    name: str
    path: str
    has_pages: bool = True

    @property
    def is_mivicall(self) -> bool:
        return self.path.startswith("/v1/")


def asked(clinic: Clinic, day: date) -> list[Asked]:
    """What is measured; `day` is the first one without appointments."""
    doctor, procedure = Doctor.objects.of(clinic)[0], Procedure.objects.of(clinic)[0]
    first, last = clinic.day(day)[0], clinic.day(day + timedelta(days=7))[0]
    window = {"serviceTypeId": str(procedure.uuid), "from": first.isoformat(), "to": last.isoformat(), "limit": 50}
    slots = f"/api/doctors/{doctor.pk}/slots?{urlencode({'date': day, 'procedureId': procedure.pk})}"
    return [
        Asked("`GET /api/appointments`", "/api/appointments?limit=50"),
        Asked("the same, `updatedSince`", f"/api/appointments?{urlencode(SINCE | {'limit': 50})}"),
        Asked("`GET /v1/appointments`", "/v1/appointments?limit=50"),
        Asked("the same, `updatedSince`", f"/v1/appointments?{urlencode(SINCE | {'limit': 50})}"),
        Asked("`GET /api/patients`", "/api/patients?limit=50"),
        Asked("the same, `updatedSince`", f"/api/patients?{urlencode(SINCE | {'limit': 50})}"),
        Asked("`GET /v1/patients`, `updatedSince`", f"/v1/patients?{urlencode(SINCE | {'limit': 50})}"),
        Asked("`GET /v1/availability`", f"/v1/availability?{urlencode(window)}", has_pages=False),
        Asked("`GET /api/doctors/{id}/slots`", slots, has_pages=False),
    ]


def request(program: Program, each: Asked, path: str) -> str:
    secret = program.key if each.is_mivicall else program.token
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {secret}\r\n\r\n"


def late_page(house: House, program: Program, each: Asked) -> str:
    """The address of page LATE, by the positions that the pages before it give."""
    path = each.path
    for _ in range(LATE - 1):
        secret = program.key if each.is_mivicall else program.token
        address = f"http://127.0.0.1:{house.port}{path}"
        with urlopen(Request(address, headers={"Authorization": f"Bearer {secret}"})) as answer:
            body, link = json.load(answer), answer.headers.get("Link", "")
        if each.is_mivicall:
            path = f"{each.path}&cursor={quote(body['nextCursor'])}"
        else:
            path = f"/api/{link[1 : link.index('>')].partition('/api/')[2]}"
    return path


type Requests = dict[tuple[Asked, int, int], str]  # by (list, stored, page)


def requests_of(built: list[House], program: Program, clinic: Clinic, day: date) -> Requests:
    made = {}
    for house in built:
        for each in asked(clinic, day):
            made[each, house.stored, 1] = request(program, each, each.path)
            if each.has_pages:
                made[each, house.stored, LATE] = request(program, each, late_page(house, program, each))
    return made


def measure(
    load: Generator, built: list[House], program: Program, clinic: Clinic, *, rounds: int, times: int
) -> dict[tuple, Times]:
    """By (list, stored, page). Every round asks each page of each house; the first is a warm-up and is not counted."""
    made = requests_of(built, program, clinic, bulk.last_full_day(clinic) + timedelta(days=1))
    measured = defaultdict(Times)
    for number in range(rounds + 1):
        for (each, stored, page), text in made.items():
            (house,) = (house for house in built if house.stored == stored)
            latencies = day_page.measure(load, house, [text], times)
            if number:
                measured[each, stored, page].rounds.append(latencies)
    return measured


def ms(times: Times) -> str:
    return f"{times.p50 * 1000:.1f} ms"


def table(sizes: list[int], measured: dict[tuple, Times]) -> str:
    least, most = sizes[0], sizes[-1]
    lines = [
        f"| 50 elements, p50 | {least} stored | {most} stored | ratio, ≤ 1.15 | page {LATE} | beside page 1, ≤ 1.5 |",
        "|---|--:|--:|--:|--:|--:|",
    ]
    for each in dict.fromkeys(each for each, *_ in measured):
        few, many = measured[each, least, 1], measured[each, most, 1]
        cells = [each.name, ms(few), ms(many), f"{many.p50 / few.p50:.2f}"]
        if each.has_pages:
            late = measured[each, most, LATE]
            cells += [ms(late), f"{late.p50 / many.p50:.2f}"]
        else:
            cells += ["", ""]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)
