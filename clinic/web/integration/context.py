"""What Integrações shows: tokens and keys with their state at this moment, and who did what."""

from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from clinic.access import access_tokens, api_keys, form_replay
from clinic.models import AccessToken, ApiKey, CredentialEvent
from clinic.web.integration.forms import ApiKeyForm

TOKENS, KEYS, EVENTS = 10, 100, 30


@dataclass(frozen=True)
class Shown:
    """A token or key. `state` is valid, blocked, rotated, expired or revoked; the first three may be revoked."""

    row: AccessToken | ApiKey
    state: str
    seconds: int

    @property
    def id(self):
        return str(self.row.pk)  # the template puts it into ids

    @property
    def may_end(self):
        return self.state in {"valid", "blocked", "rotated"}

    @property
    def scopes(self):
        return [ApiKey.Scope(scope).label for scope in self.row.scopes]


@dataclass(frozen=True)
class Secret:
    """What is shown once, in the answer to the act that made it: `text` of `row`; after a rotation `old` goes on."""

    row: AccessToken | ApiKey
    text: str
    old: ApiKey | None = None


def page(request, *, form: ApiKeyForm | None = None, **more) -> dict:
    """The context of the page; `more` is what came of an act."""
    clinic, user, now = request.clinic, request.user, timezone.now()
    tokens = AccessToken.objects.of(clinic).select_related("user")[:TOKENS]
    keys = ApiKey.objects.of(clinic).select_related("created_by")[:KEYS]
    events = CredentialEvent.objects.of(clinic).select_related("user", "access_token", "api_key")[:EVENTS]
    shown = [Shown(key, _state_of_key(key, now), _seconds(key, now)) for key in keys]
    return {
        "form": form or ApiKeyForm(),
        "seen": form_replay.last_event_id(clinic, user),
        "tokens": [Shown(token, _state_of_token(token, clinic, now), _seconds(token, now)) for token in tokens],
        "keys": [key for key in shown if key.may_end],
        "ended": [key for key in shown if not key.may_end],
        "events": events,
        "old_key_until": now + api_keys.ROTATION_OVERLAP,
        **more,
    }


def _state_of_token(token, clinic, now):
    if token.revoked_at or token.expires_at <= now:
        return _ended(token)
    return "valid" if access_tokens.may_release(token.user, clinic) else "blocked"


def _state_of_key(key, now):
    if key.revoked_at or key.expires_at <= now:
        return _ended(key)
    return "valid" if key.expires_at - key.created_at >= api_keys.LIFE else "rotated"


def _ended(row):
    return "revoked" if row.revoked_at else "expired"


def _seconds(row, now: datetime) -> int:
    return max(int((row.expires_at - now).total_seconds()), 0)
