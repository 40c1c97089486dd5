"""The MiviCall-compatible API: its door and its routes."""

import time

from django.conf import settings

from clinic.access import api_keys
from clinic.api.door import Api, Caller, Door
from clinic.api.mivicall import errors
from clinic.api.refused import Problem, Refused
from clinic.booking import Author
from clinic.models import AppointmentEvent, StoredAnswer

api = Api(title="API MiviCall", version="1.0.0", urls_namespace="mivicall")


class MivicallDoor(Door):
    credential = StoredAnswer.Credential.MIVICALL

    def authenticate(self, request) -> Caller:
        scheme, _, text = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not text or " " in text.strip() or "," in text:
            raise Refused(Problem.MALFORMED_AUTHORIZATION)
        try:
            key = api_keys.authenticate(text.strip())
        except api_keys.ExpiredKey as error:
            raise Refused(Problem.EXPIRED_CREDENTIAL) from error
        except api_keys.InvalidKey as error:
            raise Refused(Problem.INVALID_CREDENTIAL) from error
        if not key.clinic.active:
            raise Refused(Problem.CLINIC_INACTIVE)
        author = Author(door=AppointmentEvent.Door.MIVICALL, credential=key.name)
        return Caller(key.clinic, author, key, who=f"api key {key.pk}", writes=key.is_live)

    def refuse(self, request, refused):
        return errors.refusal(request, refused)

    def finish(self, request, response):
        visit = request.visit
        response["X-Request-Id"] = str(visit.id)
        limit = settings.API_REQUESTS_A_MINUTE
        admission = visit.admission
        response["X-RateLimit-Limit"] = str(limit)
        response["X-RateLimit-Remaining"] = str(admission.remaining if admission else limit)
        response["X-RateLimit-Reset"] = str(admission.reset if admission else int(time.time()) + 60)


door = MivicallDoor()
