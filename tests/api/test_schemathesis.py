"""schemathesis asks both APIs, over HTTP, everything that their OpenAPI documents allow and much that they do not.

Every check of schemathesis is on. The clock stands on the day of the documents' examples, whose ids exist.
"""

import re
from copy import deepcopy
from datetime import date, datetime, time, timedelta
from itertools import count

import pytest
import schemathesis
from django.core.management import call_command
from django.db import connection
from django.utils import translation
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from schemathesis.core.failures import AcceptedNegativeData
from schemathesis.generation.hypothesis.builder import ApiOperationMark
from schemathesis.openapi.checks import (
    EnsureResourceAvailability,
    RejectedPositiveData,
    UnsupportedMethodResponse,
    UseAfterFree,
)

from clinic.access import access_tokens, api_keys
from clinic.api.errors import ErrorCode
from clinic.api.imagemais import examples, messages
from clinic.api.imagemais.errors import API_ERRORS
from clinic.api.imagemais.urls import reference as imagemais_reference
from clinic.api.mivicall import errors, reading, schemas
from clinic.api.mivicall.changes import FILTER_WITH_SINCE, NOT_A_CURSOR
from clinic.api.mivicall.operations.appointments import DISCOUNT_STAYS, MOVE_MISSING
from clinic.api.mivicall.operations.availability import WINDOW_TOO_LONG
from clinic.api.mivicall.operations.patients import SEARCH_MISSING
from clinic.api.mivicall.urls import reference as mivicall_reference
from clinic.models import ApiKey, Appointment, Clinic
from clinic.refusals import Reason
from clinic.registry import PHONE_FAULTS, DoctorFault
from tests.factories import (
    book_appointment,
    make_clinic,
    make_discount,
    make_doctor,
    make_lisbon,
    make_master,
    make_patient,
    make_procedure,
)

pytest_plugins = ["schemathesis.pytest.plugin"]  # only here: every other run starts without it

TODAY = {"imagemais": date(2025, 12, 22), "mivicall": date(2026, 5, 11)}
BOOKED_AT = time(15)
AS_ANSWERED = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T00:00:00\.000Z")
# Of these a valid shape can break any; every other refusal of a valid shape is a fault of the schema.
RULES = {
    Reason.BIRTH_DATE_IMPOSSIBLE,
    Reason.CPF_INVALID,
    Reason.CPF_OTHER_BIRTH_DATE,
    Reason.DATE_PAST,
    Reason.DATE_TOO_FAR,
    Reason.DISCOUNT_EXPIRED,
    Reason.END_NOT_AFTER_START,
    Reason.NAME_MISSING,  # a name of blanks and of what nobody sees
    Reason.NAME_UNSTORABLE,
    Reason.NOTES_UNSTORABLE,
    Reason.OUTSIDE_HOURS,
    Reason.PAYMENT_FLAG_SHAPE,  # the number of a card
    Reason.PAYMENT_VALUE_IMPOSSIBLE,
    *PHONE_FAULTS.values(),
    Reason.NAME_WITHOUT_LETTERS,
    Reason.PHONE_MISSING,  # a phone of blanks
    Reason.PROCEDURE_NOT_OFFERED,
    Reason.PROCEDURE_UNKNOWN,
    Reason.TIME_HAS_SECONDS,
    Reason.TIME_PAST,
    Reason.TOO_LONG,
}
FAULTS = {
    DoctorFault.ENDS_NOT_AFTER_START,
    DoctorFault.NAME_MISSING,
    DoctorFault.NAME_UNSTORABLE,
    DoctorFault.NAME_WITHOUT_LETTERS,
    DoctorFault.PROCEDURE_UNKNOWN,
}
IMAGEMAIS_FILTERS = [
    *("date", "dateStart", "dateEnd", "doctorId", "patientId", "status", "offset", "name", "cpf", "phone", "deleted")
]
# Among them, in both APIs: a key that an earlier request of the test has used.
IMAGEMAIS_RULES = [
    *(messages.REFUSALS[rule].sentence.removeprefix("patient.") for rule in RULES),
    *(messages.DOCTOR_FAULTS[fault][1] for fault in FAULTS),
    messages.OTHER_DOCTOR,
    messages.PROCEDURE_REPEATED.format("%(procedure)s"),
    messages.UNSTORABLE.format("O telefone"),
    messages.UNSTORABLE_KEY,
    messages.NAME_EMPTY,  # a name of blanks
    messages.NOT_A_POSITION,
    messages.LENGTH_TWICE,
    messages.ENDS_BEFORE_ITS_START,
    messages.TWO_PHONES.removeprefix("patient."),
    messages.CONTACT_WITHOUT_PHONE.removeprefix("patient."),  # a contact of other keys, which are ignored
    messages.OFFSET_WITH_AFTER,
    *(messages.FILTER_WITH_SINCE.format(name) for name in IMAGEMAIS_FILTERS),
    *messages.SINCE_FAULTS.values(),
    *(messages.UNSTORABLE_IN_QUERIES.format(field) for field in ("name", "phone", "after", "updatedSince")),
    *(messages.NOT_CHANGED_HERE.format(field, call) for field, call in messages.CALLS_FOR_OTHER_FIELDS.items()),
    API_ERRORS[ErrorCode.IDEMPOTENCY_KEY_REUSED][1],
]
UNKNOWN_DOCTORS = {messages.DOCTOR_UNKNOWN, errors.OWN_SENTENCES[Reason.DOCTOR_UNKNOWN]}
with translation.override("pt-pt"):
    MIVICALL_RULES = [
        *(errors.OWN_SENTENCES.get(rule, str(rule.sentence)) for rule in RULES),
        reading.UNSTORABLE,
        reading.UNSTORABLE_KEY,
        "Passa de 4 KiB.",  # metadata
        reading.NEEDS_EXPONENT,
        NOT_A_CURSOR,
        FILTER_WITH_SINCE,
        *reading.SINCE_FAULTS.values(),
        SEARCH_MISSING,
        DISCOUNT_STAYS,
        MOVE_MISSING,
        WINDOW_TOO_LONG,
        reading.BACKWARDS,
        *(message for _, message in [*errors.DOCTOR_FAULTS.values(), *errors.PROCEDURE_FAULTS.values()]),
        *errors.CLINIC_FAULTS.values(),
        errors.API_ERRORS[ErrorCode.IDEMPOTENCY_KEY_REUSED][2],
    ]


def _schema(reference):
    config = {
        "seed": 3,
        "generation": {
            "deterministic": True,
            "max-examples": 30,
            "database": "none",
            # The test sends the credential; `ignored_auth` takes it away and forges it.
            "with-security-parameters": False,
        },
    }
    document = deepcopy(reference.document)  # schemathesis writes the links it infers into it
    return schemathesis.openapi.from_dict(document, config=schemathesis.Config.from_dict(config))


imagemais_schema, mivicall_schema = _schema(imagemais_reference), _schema(mivicall_reference)
patiently = settings(suppress_health_check=list(HealthCheck))


# What is asked --------------------------------------------------------------------------------------------------------


def working_times(name):
    """Starts on the doctor's grid, of the coming days."""
    days = st.integers(1, 20).map(lambda days: TODAY[name] + timedelta(days))
    return st.tuples(days, st.sampled_from([8, 9, 10, 11, 13, 14, 15, 16, 17]), st.sampled_from([0, 15, 30]))


def imagemais_times():
    def as_fields(when):
        day, hour, minute = when
        return {"date": str(day), "startTime": f"{hour:02}:{minute:02}", "endTime": f"{hour:02}:{minute + 15:02}"}

    return working_times("imagemais").map(as_fields)


def mivicall_times():
    return working_times("mivicall").map(lambda when: f"{when[0]}T{when[1]:02}:{when[2]:02}:00+01:00")


# What of a body, or of the query of one without, is made to be had, by operation.
HAD = {
    "createAppointment": st.builds(
        lambda when, patient, procedures: when | {"doctorId": 1, "procedures": procedures, "patient": patient},
        imagemais_times(),
        st.sampled_from([examples.PATIENT, examples.PATIENT | {"name": "Ana Lima", "cpf": "529.982.247-25"}]),
        st.lists(
            st.sampled_from([{"id": 2}, {"id": 3200, "discountId": 7}]), min_size=1, unique_by=lambda line: line["id"]
        ),
    ),
    "rescheduleAppointment": imagemais_times().map(lambda when: when | {"doctorId": 1}),
    "createDoctor": st.just({"procedureIds": [2, "3200"], "startTime": "08:00", "endTime": "18:00"}),
}
HAD_V1 = {
    "createAppointment": st.builds(
        lambda start, name: {
            "professionalId": schemas.EXAMPLE_DOCTOR,
            "serviceTypeId": schemas.EXAMPLE_SERVICE,
            "patientPhone": "+351912345678",
            "patientName": name,
            "startsAt": start,
        },
        mivicall_times(),
        st.sampled_from(["Maria Silva", "Rui Silva"]),
    ),
    "updateAppointment": mivicall_times().map(
        lambda start: {"startsAt": start, "professionalId": schemas.EXAMPLE_DOCTOR}
    ),
    "listAvailability": mivicall_times().map(
        lambda start: {"serviceTypeId": schemas.EXAMPLE_SERVICE, "from": f"{TODAY['mivicall']}T00:00:00Z", "to": start}
    ),
}
PATHS = {"appointment_id": 58, "doctor_id": 1, "patient_id": 9253}
IDS = {
    "/v1/appointments/{id}": schemas.EXAMPLE_ID,
    "/v1/professionals/{id}": schemas.EXAMPLE_DOCTOR,
    "/v1/services/{id}": schemas.EXAMPLE_SERVICE,
}


def _mostly_had(had):
    def flatmap_case(context, case):
        """Good data that also exists, two times of three."""
        if not case.meta.generation.mode.is_positive:
            return st.just(case)
        operation = context.operation.definition.raw["operationId"]

        def with_real(real, fields):
            if real:
                known = PATHS | {"id": IDS.get(context.operation.path)}
                for name in case.path_parameters.keys() & known.keys():
                    case.path_parameters[name] = known[name]
                if isinstance(case.body, dict):
                    case.body = case.body | fields
                elif fields:
                    case.query = case.query | fields
            return case

        return st.builds(with_real, st.sampled_from([True, False, True]), had.get(operation, st.just({})))

    return flatmap_case


numbers = count(1)


def _of_another_key(case):
    """The example's key would make every request but the first another one with a used key."""
    if case.headers.get("Idempotency-Key") in {"agendamento-2025-12-23-joao-silva", "pms-create-4711"}:
        case.headers["Idempotency-Key"] = f"pedido-{next(numbers)}"


def _pattern(sentences):
    """Of messages that are one of the sentences, whatever their placeholders hold."""
    return re.compile("|".join(re.sub(r"%\\\(\w+\\\)s", ".*", re.escape(sentence)) for sentence in sentences))


def _unless_intended(sentences, messages_in):
    rules = _pattern(sentences)

    def filter_failure(context, failure, case, response):
        """Return False for a failure that is intended."""
        if isinstance(failure, RejectedPositiveData):
            # Of the right shape, and refused for nothing but rules.
            return not all(rules.fullmatch(message) for message in messages_in(response.json()))
        if isinstance(failure, AcceptedNegativeData):
            # A day is taken as answers write it, too, and out of those schemathesis copies it.
            days = (case.body or {}).items() if isinstance(case.body, dict) else ()
            return not any(AS_ANSWERED.fullmatch(str(value)) for name, value in days if name == "date")
        if isinstance(failure, UseAfterFree):
            # MiviCall's DELETE cancels or switches off: the row stays, and a second DELETE finds it.
            return not failure.free.startswith("DELETE /v1/")
        if isinstance(failure, UnsupportedMethodResponse):
            return not (case.method == "PUT" and case.path.startswith("/api/"))  # PUT does what PATCH does
        if isinstance(failure, EnsureResourceAvailability):
            # The row that is not found may be the doctor of the body.
            return not any(message in UNKNOWN_DOCTORS for message in messages_in(response.json()))
        return True

    return filter_failure


def _messages_of_imagemais(answer):
    sentences = answer["message"] if isinstance(answer["message"], list) else [answer["message"]]
    # The prefix is left out where the body is the patient.
    return [sentence.removeprefix("patient.") for sentence in sentences]


def _messages_of_mivicall(answer):
    return [error["message"] for error in answer.get("errors", [answer])]


for _schema_, _had, _rules, _messages_in in [
    (imagemais_schema, HAD, IMAGEMAIS_RULES, _messages_of_imagemais),
    (mivicall_schema, HAD_V1, MIVICALL_RULES, _messages_of_mivicall),
]:
    _schema_.hook(_mostly_had(_had))
    _schema_.hook(_unless_intended(_rules, _messages_in))


# The servers ----------------------------------------------------------------------------------------------------------


# The server's threads run in this process: one of them may ask for a random number while a case is drawn.
pytestmark = pytest.mark.filterwarnings("ignore:Do not use the `random` module inside strategies")


@pytest.fixture(autouse=True)
def no_limit(settings):
    settings.API_REQUESTS_A_MINUTE = settings.API_REQUESTS_A_SECOND = settings.API_FAILURES_A_MINUTE = 10**6


@pytest.fixture
def imagemais(transactional_db, live_server, time_machine):
    return {"base_url": live_server.url, "headers": _imagemais_headers(time_machine)}


@pytest.fixture
def mivicall(transactional_db, live_server, time_machine):
    return {"base_url": live_server.url, "headers": _mivicall_headers(time_machine)}


def _imagemais_headers(time_machine):
    """A clinic that has what the document's examples name; the header that opens it."""
    clinic = _clinic_of("imagemais", make_clinic, time_machine)
    _next_ids(clinic_doctor=1, clinic_patient=9253, clinic_appointment=58, clinic_discount=7)
    doctor = make_doctor(clinic, days=range(1, 8), interval_minutes=15, procedures=_procedures(clinic))
    make_discount(clinic)
    _booked("imagemais", doctor, make_patient(clinic))
    _, secret = access_tokens.release(clinic, make_master(clinic), channel="command")
    return {"Authorization": f"Bearer {secret}"}


def _mivicall_headers(time_machine):
    clinic = _clinic_of("mivicall", make_lisbon, time_machine)
    service = make_procedure(clinic, uuid=schemas.EXAMPLE_SERVICE)
    doctor = make_doctor(clinic, days=range(1, 8), uuid=schemas.EXAMPLE_DOCTOR, procedures=[service])
    booked = _booked("mivicall", doctor, make_patient(clinic))
    Appointment.objects.filter(pk=booked.pk).update(uuid=schemas.EXAMPLE_ID)
    given = {"scopes": ApiKey.Scope.values, "source": ApiKey.Source.VOICE_AI, "is_live": True}
    _, secret = api_keys.create(clinic, name="central", by=None, channel="command", **given)
    return {"Authorization": f"Bearer {secret}"}


def _clinic_of(name, make, time_machine) -> Clinic:
    clinic = make()
    time_machine.move_to(datetime.combine(TODAY[name], time(7), clinic.zone), tick=True)
    return clinic


def _next_ids(**ids):
    with connection.cursor() as cursor:
        for table, number in ids.items():
            cursor.execute("SELECT setval(pg_get_serial_sequence(%s, 'id'), %s, false)", [table, number])


def _procedures(clinic):
    made = []
    for number in (2, 3200, 3600):
        _next_ids(clinic_procedure=number)
        made.append(make_procedure(clinic))
    return made


def _booked(name, doctor, patient):
    at = doctor.clinic.instant(TODAY[name] + timedelta(days=1), BOOKED_AT)
    return book_appointment(doctor, patient=patient.pk, starts_at=at)


# Whether it keeps its word --------------------------------------------------------------------------------------------


def pytest_generate_tests(metafunc):
    """Each operation's test gets an id of its own: schemathesis gives all of them the same, and pytest-xdist runs only
    one test of an id."""
    if "operation_id" in metafunc.fixturenames:
        metafunc.parametrize("operation_id", [ApiOperationMark.get(metafunc.function).definition.raw["operationId"]])


@imagemais_schema.parametrize()
@patiently
def test_imagemais_is_as_its_document_says(imagemais, operation_id, case):
    _of_another_key(case)
    case.call_and_validate(**imagemais)


@mivicall_schema.parametrize()
@patiently
def test_mivicall_is_as_its_document_says(mivicall, operation_id, case):
    _of_another_key(case)
    case.call_and_validate(**mivicall)


def test_every_operation_is_a_test_of_its_own(request):
    ids = [item.nodeid for item in request.session.items if getattr(item, "operation_label", None)]
    assert len(set(ids)) == len(ids)


def _walk(schema, url, headers):
    class Walk(schema.as_state_machine()):
        def setup(self):
            """Each walk starts from the same rows: where it can go depends on what it is answered."""
            call_command("flush", interactive=False, reset_sequences=False, inhibit_post_migrate=True)
            self.asked = {"base_url": url, "headers": headers()}

        def before_call(self, case):
            _of_another_key(case)

        def get_call_kwargs(self, case):
            return self.asked

    Walk.run(settings=settings(patiently, max_examples=40, stateful_step_count=8, derandomize=True))


def test_imagemais_keeps_its_word_along_its_links(transactional_db, live_server, time_machine):
    _walk(imagemais_schema, live_server.url, lambda: _imagemais_headers(time_machine))


def test_mivicall_keeps_its_word_along_its_links(transactional_db, live_server, time_machine):
    _walk(mivicall_schema, live_server.url, lambda: _mivicall_headers(time_machine))
