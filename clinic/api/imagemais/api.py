"""The ImageMais-compatible API: its door and its routes."""

from clinic.access import access_tokens
from clinic.api.door import Api, Caller, Door
from clinic.api.imagemais import errors
from clinic.api.refused import Problem, Refused
from clinic.booking import Author
from clinic.models import AppointmentEvent, StoredAnswer

api = Api(title="API ImageMais", version="1.0.0", urls_namespace="imagemais")


class ImagemaisDoor(Door):
    credential = StoredAnswer.Credential.IMAGEMAIS

    def authenticate(self, request) -> Caller:
        scheme, _, text = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not text:
            raise Refused(Problem.MALFORMED_AUTHORIZATION)
        try:
            token = access_tokens.authenticate(text.strip())
        except access_tokens.ExpiredToken as error:
            raise Refused(Problem.EXPIRED_CREDENTIAL) from error
        except access_tokens.InvalidToken as error:
            raise Refused(Problem.INVALID_CREDENTIAL) from error
        author = Author(door=AppointmentEvent.Door.IMAGEMAIS, user=token.user, credential=f"token {token}")
        return Caller(token.clinic, author, token, who=f"access token {token.pk}")

    def refuse(self, request, refused):
        return errors.refusal(refused)


door = ImagemaisDoor()
