"""The record of processing of a clinic: what is done with patients' data, and who gets them. Reads only.

Law: LGPD art. 37, RGPD art. 30. Filled from what is configured; what a clinic writes itself is in PrivacySettings.
"""

from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from clinic.models import ApiKey, CalendarFeed, Clinic, DisplayLink, PrivacySettings
from clinic.models.accesses import ACCESSES_KEPT, SIGN_INS_KEPT
from clinic.models.credentials import AccessToken
from clinic.models.import_run import ROWS_KEPT
from clinic.models.memo import MEMOS_KEPT
from clinic.models.waiting import WAITING_NOTES_KEPT
from clinic.registry import records_kept_years


@dataclass(frozen=True)
class Recipient:
    """Who gets data: a name, and which."""

    name: str
    what: str


@dataclass(frozen=True)
class Term:
    """How long a kind of data is kept."""

    kind: str
    term: str


@dataclass(frozen=True)
class Record:
    """The whole record, in words."""

    settings: PrivacySettings
    purposes: str
    categories: list[str]
    recipients: list[Recipient]
    terms: list[Term]
    measures: str


def settings_of(clinic: Clinic) -> PrivacySettings:
    """Return what the clinic has written, defaults where it has written nothing."""
    return PrivacySettings.objects.filter(clinic=clinic).first() or PrivacySettings(clinic=clinic)


def record(clinic: Clinic) -> Record:
    """Return the record as it stands now. At most six queries."""
    written = settings_of(clinic)
    return Record(
        settings=written,
        purposes=written.purposes or default_purposes(clinic),
        categories=[
            _("identificação e contatos de pacientes e responsáveis"),
            _("agendamentos: procedimento, profissional, horário, presença (dados de saúde)"),
            _("convênio e carteira, valores e pagamentos"),
            _("observações, recados e histórico de alterações"),
            _("acessos e entradas da equipe"),
        ],
        recipients=recipients(clinic),
        terms=terms(clinic),
        measures=written.measures or default_measures(),
    )


def default_purposes(clinic: Clinic) -> str:
    """Return the purposes and their legal basis, as the country's law names it."""
    if clinic.country == Clinic.Country.PORTUGAL:
        return _(
            "Marcar e prestar cuidados de saúde (RGPD, art. 9.º, n.º 2, alínea h; Lei n.º 58/2019, art. 29.º);"
            " cumprir obrigações legais e de faturação (art. 6.º, n.º 1, alínea c); divulgação, só com consentimento"
            " (art. 6.º, n.º 1, alínea a)."
        )
    return _(
        "Agendar e prestar cuidados de saúde (LGPD, art. 11, II, f: tutela da saúde); cumprir obrigações legais e"
        " fiscais (art. 7º, II); divulgação, só com consentimento (art. 8º)."
    )


def default_measures() -> str:
    """Return what this program does by itself."""
    return _(
        "Senhas guardadas só como resumo (argon2id); bloqueio depois de tentativas; sessões que expiram; funções"
        " (recepção, gestão, master, médico); registro de quem viu e de quem alterou, que não se reescreve; telefones"
        " só como resumo na API de voz; chaves de API com escopo e validade; nada de terceiros nas páginas."
    )


def recipients(clinic: Clinic) -> list[Recipient]:
    """Return the programs and links that may get data now, by the credentials that exist."""
    now = timezone.now()
    found = [
        Recipient(key.name, ", ".join(str(ApiKey.Scope(scope).label) for scope in key.scopes))
        for key in ApiKey.objects.of(clinic)
        .filter(revoked_at=None, expires_at__gt=now, is_live=True)
        .order_by("name", "pk")
    ]
    tokens = AccessToken.objects.of(clinic).filter(revoked_at=None, expires_at__gt=now).count()
    if tokens:
        found.append(
            Recipient(_("API ImageMais"), _("agenda e pacientes, por tokens de uma hora: %(n)s") % {"n": tokens})
        )
    feeds = CalendarFeed.objects.of(clinic).filter(revoked_at=None).count()
    if feeds:
        found.append(Recipient(_("calendários de médicos"), _("horários e iniciais: %(n)s") % {"n": feeds}))
    displays = DisplayLink.objects.of(clinic).filter(revoked_at=None).count()
    if displays:
        found.append(Recipient(_("painéis de chamada"), _("iniciais e sala: %(n)s") % {"n": displays}))
    found.append(Recipient("WhatsApp (Meta)", _("o número, quando alguém da clínica abre uma conversa")))
    return found


def terms(clinic: Clinic) -> list[Term]:
    """Return how long what is kept, as `apply_retention` and `purge_expired` do it; at least so long what neither
    deletes."""
    law = _("Lei 13.787/2018") if clinic.country == Clinic.Country.BRAZIL else _("prazo da clínica: não há regra única")
    years = {"years": records_kept_years(clinic), "law": law}
    return [
        Term(_("fichas e agendamentos"), _("no mínimo %(years)s anos depois da última visita (%(law)s)") % years),
        Term(_("quem viu os dados"), _in_words(ACCESSES_KEPT)),
        Term(_("entradas da equipe"), _in_words(SIGN_INS_KEPT)),
        Term(_("recados sobre ninguém"), _("%(term)s depois de feitos") % {"term": _in_words(MEMOS_KEPT)}),
        Term(
            _("notas da fila de espera"),
            _("%(term)s depois de fechado o pedido") % {"term": _in_words(WAITING_NOTES_KEPT)},
        ),
        Term(_("respostas guardadas das APIs"), _in_days(settings.STORED_ANSWER_DAYS)),
        Term(_("linhas de planilhas importadas"), _in_words(ROWS_KEPT)),
        Term(_("livro de incidentes"), _("no mínimo 5 anos: nada se apaga dele")),
    ]


def _in_words(kept: timedelta) -> str:
    """Return a term as 2 anos, below them 12 meses, below two months 30 dias."""
    years, months = kept.days // 365, kept.days // 30
    if years > 1:
        return ngettext("%(n)s ano", "%(n)s anos", years) % {"n": years}
    if months > 1:
        return ngettext("%(n)s mês", "%(n)s meses", months) % {"n": months}
    return _in_days(kept.days)


def _in_days(days: int) -> str:
    return ngettext("%(n)s dia", "%(n)s dias", days) % {"n": days}
