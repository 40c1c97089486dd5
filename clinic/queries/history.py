"""Put the history of appointments and clinics into sentences. Reads only."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from clinic.models import (
    Appointment,
    AppointmentEvent,
    Clinic,
    ClinicEvent,
    ImportRow,
    ImportRun,
    StaffUser,
    WorkingHours,
)
from clinic.models.appointment import Status
from clinic.models.clinic import name_of_region, written_amount, zone_name
from clinic.models.history import changes_encaixe, last_event
from clinic.models.titles import in_sentence
from clinic.models.unverified import UNVERIFIED
from clinic.queries.history_of_procedures import lines_changed, procedures_changed
from clinic.queries.receipts import in_words
from clinic.queries.unverified import written_value
from clinic.schedule import write_hours

# `before` or `after` of an event, as stored in JSON.
type Snapshot = dict[str, Any]


@dataclass(frozen=True)
class Entry:
    """One event in words; `at` is an instant, `who` the person or the name of the token, key or command."""

    at: datetime
    who: str
    channel: str
    sentence: str


def story(appointment: Appointment) -> list[Entry]:
    """Return the events, newest first, in the time zone that the clinic had then.

    One query; the appointment comes with its clinic.
    """
    events = appointment.events.select_related("user", "clinic").order_by("-at", "-pk")
    return entries(events, appointment.clinic.zone)


def entries(events: Iterable[AppointmentEvent], zone: ZoneInfo) -> list[Entry]:
    """Return the events of one appointment in words, in their order, newest first; they come with user and clinic.
    `zone` is the clinic's present one."""
    found = []
    for event in events:
        who = str(event.user or event.credential)
        found.append(Entry(event.at, who, event.get_channel_display(), sentence(event, zone)))
        zone = ZoneInfo(event.before["time_zone"]) if event.kind == AppointmentEvent.Kind.TIME_ZONE else zone
    return found


def is_undone(appointment: Appointment, event: int | None) -> bool:
    """Return whether the last event of the appointment undid the event of that id. One query."""
    last = list(appointment.events.order_by("-pk")[:2])
    return len(last) == 2 and bool(last[0].after.get("undo")) and last[1].pk == event


def as_sentence(event: AppointmentEvent | None, appointment: Appointment) -> str:
    """Return an event of the appointment as a sentence, in the time of its clinic; "" for None."""
    return f"{sentence(event, appointment.clinic.zone)}." if event else ""


def last_sentence(appointment: Appointment) -> str:
    """Return the last event as a sentence. One query; the appointment comes with its clinic."""
    return as_sentence(last_event(appointment), appointment)


def moved_by(appointment: Appointment, *, besides: StaffUser | None) -> str:
    """Return who moved the appointment last, the person or the name of the token, key or command; "" if that was the
    user `besides`, or if it never was. One query."""
    moves = appointment.events.filter(kind=AppointmentEvent.Kind.RESCHEDULED).select_related("user")
    last = moves.order_by("-pk").first()
    return "" if last is None or (last.user and last.user == besides) else str(last.user or last.credential)


def undone(appointment: Appointment) -> str:
    """Return a note about the last undo beside the row that shows it: of a move the place where the appointment is
    again, and what it `left_out`. The appointment comes with its clinic."""
    last = last_event(appointment)
    is_move = last is not None and last.kind == AppointmentEvent.Kind.RESCHEDULED
    return undone_with_name(appointment) if is_move else left_out(appointment)


def undone_with_name(appointment: Appointment) -> str:
    """Return a note about the last undo that names the patient: the act may have been on any day."""
    words = f"{appointment.patient.display_name}: {last_sentence(appointment)}"
    return f"{words} {left_out(appointment)}".strip()


def left_out(appointment: Appointment) -> str:
    """Return a sentence about the discounts that the last undo could not restore, "" for none. One query."""
    last = last_event(appointment)
    gone = last.after.get("discounts_gone", []) if last else []
    sentence = ngettext(
        "O desconto %(discounts)s não existe mais e não foi aplicado de novo: confira o total.",
        "Os descontos %(discounts)s não existem mais e não foram aplicados de novo: confira o total.",
        len(gone),
    )
    return sentence % {"discounts": ", ".join(gone)} if gone else ""


def sentence(event: AppointmentEvent, zone: ZoneInfo) -> str:
    """Return what the event changed, in the time of that zone."""
    if event.kind == AppointmentEvent.Kind.RECEIVED:
        words = in_words(event.after, event.clinic)
    elif event.kind == AppointmentEvent.Kind.PROCEDURES:
        words = procedures_changed(event.before, event.after, event.clinic, zone)
        words = _as_encaixe(words, event.before, event.after) if changes_encaixe(event) else words
    else:
        words = SENTENCES[AppointmentEvent.Kind(event.kind)](event.before, event.after, zone)
    if event.kind == AppointmentEvent.Kind.RESCHEDULED and "lines" in event.after:
        words = ", ".join([words, *lines_changed(event.before, event.after, event.clinic)])
    says_so = event.kind == AppointmentEvent.Kind.RESCHEDULED
    return _("%(what)s (desfeito)") % {"what": words} if event.after.get("undo") and not says_so else words


def _booked(before: Snapshot, after: Snapshot, zone: ZoneInfo) -> str:
    words = _as_encaixe(_("Agendado para %(time)s com %(the_doctor)s") % _when(after, zone), before, after)
    return f"{words}, {_paid_by(after)}" if after.get("payer") else words


def _payer_changed(before: Snapshot, after: Snapshot, zone: ZoneInfo) -> str:
    return _("De %(before)s para %(after)s") % {"before": _paid_by(before), "after": _paid_by(after)}


def _paid_by(snapshot: Snapshot) -> str:
    """Return "Unimed (guia 123)", or "particular" without a payer; the password stays unsaid."""
    if not snapshot["payer"]:
        return _("particular")
    payer, number = snapshot["payer_name"], snapshot["authorization_number"]
    return _("%(payer)s (guia %(number)s)") % {"payer": payer, "number": number} if number else str(payer)


def _moved(before: Snapshot, after: Snapshot, zone: ZoneInfo) -> str:
    words = _moved_back(before, after, zone) if after.get("undo") else _moved_on(before, after, zone)
    words = _as_encaixe(words, before, after)
    off = ", ".join(dict.fromkeys(discount["name"] for discount in after.get("discounts_off", ())))
    if off:
        return _("%(what)s, sem o desconto %(discount)s") % {"what": words, "discount": off}
    if gone := ", ".join(after.get("discounts_gone", ())):
        return _("%(what)s, sem o desconto %(discount)s, que não existe mais") % {"what": words, "discount": gone}
    return words


def _moved_on(before: Snapshot, after: Snapshot, zone: ZoneInfo) -> str:
    return _("Remarcado de %(from_time)s com %(from_the_doctor)s para %(time)s com %(the_doctor)s") % {
        **_when(after, zone),
        **{f"from_{name}": value for name, value in _when(before, zone).items()},
    }


def _moved_back(before: Snapshot, after: Snapshot, zone: ZoneInfo) -> str:
    """Name the date and the doctor only where they are others again."""
    (old_day, _space, _hour), (day, _space, hour) = (
        _clock(snapshot, zone).partition(" ") for snapshot in (before, after)
    )
    time = hour if day == old_day else f"{day} {hour}"
    if before.get("doctor") == after.get("doctor"):
        return _("Remarcação desfeita: de novo %(time)s") % {"time": time}
    return _("Remarcação desfeita: de novo %(time)s com %(the_doctor)s") % {**_when(after, zone), "time": time}


def _as_encaixe(words: str, before: Snapshot, after: Snapshot) -> str:
    """Add whether the new time is an encaixe, or no longer one."""
    if (reason := after.get("encaixe_reason")) and (approver := after.get("encaixe_approver")):
        values = {"what": words, "reason": reason, "approver": approver}
        return _("%(what)s, como encaixe (%(reason)s) aprovado por %(approver)s") % values
    if reason:
        return _("%(what)s, como encaixe (%(reason)s)") % {"what": words, "reason": reason}
    return _("%(what)s, deixa de ser encaixe") % {"what": words} if before.get("encaixe_reason") else words


def _changed(before: Snapshot, after: Snapshot, zone: ZoneInfo) -> str:
    labels = dict(Status.choices)
    words = _("De %(before)s para %(after)s") % {
        "before": labels[before["status"]],
        "after": labels[after["status"]],
    }
    if "cancelled_by" not in after:
        return words
    who = dict(Appointment.CancelledBy.choices)[after["cancelled_by"]]
    return f"{words} ({who}: {after['reason']})" if after["reason"] else f"{words} ({who})"


def _annotated(before: Snapshot, after: Snapshot, zone: ZoneInfo) -> str:
    if "notes" not in after:
        return _("Dados da integração alterados")
    return _("Observações: de “%(before)s” para “%(after)s”") % {"before": before["notes"], "after": after["notes"]}


def _decided(before: Snapshot, after: Snapshot, zone: ZoneInfo) -> str:
    """A discarded value that is brought back has it in `after`."""
    values = {field: before.get(column) or after.get(column) for field, column in UNVERIFIED.items()}
    sent = ", ".join(written_value(field, value, country="") for field, value in values.items() if value)
    words = _("Usado na ficha: %(sent)s") if after.get("used") else _("Descartado: %(sent)s")
    return words % {"sent": sent or "—"}


def _not_reached(before: Snapshot, after: Snapshot, zone: ZoneInfo) -> str:
    return _("Não atendeu o telefone")


def _call_later(before: Snapshot, after: Snapshot, zone: ZoneInfo) -> str:
    at = after["call_at"]
    if not at:
        return _("Sem hora para ligar de novo")
    return _("Ligar de novo às %(time)s") % {"time": f"{datetime.fromisoformat(at).astimezone(zone):%H:%M}"}


def _zone_changed(before: Snapshot, after: Snapshot, zone: ZoneInfo) -> str:
    was, now = (_clock(snapshot, ZoneInfo(snapshot["time_zone"])) for snapshot in (before, after))
    words = (
        _("Fuso horário de %(old)s para %(new)s: continua em %(time)s")
        if was == now
        else _("Fuso horário de %(old)s para %(new)s: era %(was)s, agora é %(time)s")
    )
    return words % {
        "was": was,
        "time": now,
        "old": zone_name(before["time_zone"]),
        "new": zone_name(after["time_zone"]),
    }


SENTENCES: dict[AppointmentEvent.Kind, Callable[[Snapshot, Snapshot, ZoneInfo], str]] = {
    AppointmentEvent.Kind.BOOKED: _booked,
    AppointmentEvent.Kind.RESCHEDULED: _moved,
    AppointmentEvent.Kind.STATUS_CHANGED: _changed,
    AppointmentEvent.Kind.ANNOTATED: _annotated,
    AppointmentEvent.Kind.PAYER: _payer_changed,
    AppointmentEvent.Kind.UNVERIFIED: _decided,
    AppointmentEvent.Kind.NOT_REACHED: _not_reached,
    AppointmentEvent.Kind.CALL_LATER: _call_later,
    AppointmentEvent.Kind.TIME_ZONE: _zone_changed,
}


def _when(snapshot: Snapshot, zone: ZoneInfo) -> dict[str, str]:
    named = in_sentence(snapshot.get("doctor_name", ""), snapshot.get("doctor_title", ""))
    return {"time": _clock(snapshot, zone), **named}


def _clock(snapshot: Snapshot, zone: ZoneInfo) -> str:
    """Return the start as it is written, "" where an event that booking did not write has none."""
    if "starts_at" not in snapshot:
        return ""
    return f"{datetime.fromisoformat(snapshot['starts_at']).astimezone(zone):%d/%m/%Y %H:%M}"


KEEPING = {
    "clock": gettext_lazy("%(ahead)s: a hora do relógio foi mantida."),
    "instant": gettext_lazy("%(ahead)s: o instante foi mantido e a hora do relógio mudou."),
}


def sentence_of_clinic(event: ClinicEvent) -> str:
    """Return what the event changed."""
    if event.kind == ClinicEvent.Kind.ABSENCE:
        return _absence_changed(event)
    if event.kind == ClinicEvent.Kind.DELAY:
        return _delay_changed(event.before, event.after)
    if event.kind == ClinicEvent.Kind.DIRECTORY:
        return _directory_changed(event.before, event.after)
    if event.kind == ClinicEvent.Kind.HOURS:
        return _hours_changed(event.before, event.after)
    if event.kind == ClinicEvent.Kind.IMPORT:
        return _imported(event.after)
    if event.kind == ClinicEvent.Kind.ARCHIVE:
        return _archived(event)
    old, new = (zone_name(snapshot["time_zone"]) for snapshot in (event.before, event.after))
    words = _("Fuso horário de %(old)s para %(new)s.") % {"old": old, "new": new}
    return f"{words} {sentence_of_keeping(event.after)}" if event.after["keep"] else words


def _imported(after: Snapshot) -> str:
    """Return what a spreadsheet has come to, as "velho.csv: Importada (Novo 3, Recusado 1)."."""
    fates = ((str(label), after["counts"].get(fate, 0)) for fate, label in ImportRow.Fate.choices)
    counts = ", ".join(f"{label} {count}" for label, count in fates if count)
    words = f"{after['file']}: {ImportRun.State(after['state']).label}"
    return f"{words} ({counts})." if counts else f"{words}."


def _archived(event: ClinicEvent) -> str:
    """Return that the clinic was taken along, or brought, as one file."""
    if event.after["act"] == "exported":
        return _("A clínica inteira foi exportada.")
    made_at = event.clinic.local(datetime.fromisoformat(event.after["made_at"]))
    return _("A clínica veio de um arquivo de %(at)s.") % {"at": f"{made_at:%d/%m/%Y %H:%M}"}


def _absence_changed(event: ClinicEvent) -> str:
    what = _("%(before)s passou a %(after)s") if event.before and event.after else "%(before)s%(after)s"
    words = what % {"before": _absence(event.before, event.clinic), "after": _absence(event.after, event.clinic)}
    if not event.before:
        return _("Registrada: %(absence)s.") % {"absence": words}
    return f"{words}." if event.after else _("Desfeita: %(absence)s.") % {"absence": words}


def _absence(snapshot: Snapshot, clinic: Clinic) -> str:
    """Return an absence as "Dra. Ana, 01/12/2026 07:00 – 01/12/2026 20:00 (doença)"; "" for an empty snapshot."""
    if not snapshot:
        return ""
    starts, ends = (clinic.local(datetime.fromisoformat(snapshot[name])) for name in ("starts_at", "ends_at"))
    who = snapshot["doctor_name"] or _("a clínica inteira")
    return f"{who}, {starts:%d/%m/%Y %H:%M} – {ends:%d/%m/%Y %H:%M} ({snapshot['reason']})"


def _delay_changed(before: Snapshot, after: Snapshot) -> str:
    if before and after:
        words = _("Atraso alterado: %(doctor)s, de %(before)s para %(minutes)s min em %(day)s.")
    elif after:
        words = _("Atraso registrado: %(doctor)s, %(minutes)s min em %(day)s.")
    else:
        words = _("Atraso desfeito: %(doctor)s, %(minutes)s min em %(day)s.")
    newest = after or before
    return words % {
        "doctor": newest["doctor_name"],
        "before": before.get("minutes"),
        "minutes": newest["minutes"],
        "day": f"{date.fromisoformat(newest['day']):%d/%m/%Y}",
    }


def _hours_changed(before: Snapshot, after: Snapshot) -> str:
    sentences = []
    if before["hours"] != after["hours"]:
        sentences.append(_rows_changed(before, after))
    if after.get("opened"):
        dates = ", ".join(" ".join(words) for words in after["opened"])
        sentence = _("Aberto apesar do feriado para %(the_doctor)s: %(dates)s.")
        sentences.append(sentence % {**in_sentence(after["doctor_name"]), "dates": dates})
    return " ".join(sentences)


def _rows_changed(before: Snapshot, after: Snapshot) -> str:
    """Return which rows of hours are in one of both only."""
    old, new = write_hours(_hours(before, besides=after)), write_hours(_hours(after, besides=before))
    if not old:
        sentence = _("Horários %(of_doctor)s: entra “%(after)s”.")
    elif not new:
        sentence = _("Horários %(of_doctor)s: sai “%(before)s”.")
    else:
        sentence = _("Horários %(of_doctor)s: de “%(before)s” para “%(after)s”.")
    return sentence % {**in_sentence(after["doctor_name"]), "before": old, "after": new}


def _hours(snapshot: Snapshot, *, besides: Snapshot) -> list[WorkingHours]:
    return [
        WorkingHours(
            weekday=weekday,
            starts=time.fromisoformat(starts),
            ends=time.fromisoformat(ends),
            valid_from=date.fromisoformat(first) if first else None,
            valid_until=date.fromisoformat(last) if last else None,
        )
        for weekday, starts, ends, first, last in snapshot["hours"]
        if [weekday, starts, ends, first, last] not in besides["hours"]
    ]


DIRECTORY_COLUMNS = {
    "name": gettext_lazy("nome"),
    "council_number": gettext_lazy("registro no conselho"),
    "specialty": gettext_lazy("especialidade"),
    "price": gettext_lazy("preço"),
    "duration_minutes": gettext_lazy("duração em minutos"),
    "doctors": gettext_lazy("médicos"),
    "phone": gettext_lazy("telefone"),
    "address": gettext_lazy("endereço da clínica"),
    "town": gettext_lazy("cidade"),
    "region": gettext_lazy("estado ou distrito"),
    "observes_holidays": gettext_lazy("fecha nos feriados nacionais"),
}


def _directory_changed(before: Snapshot, after: Snapshot) -> str:
    if not before:
        return _("Incluído: %(name)s.") % {"name": after["name"]}
    if not after:
        return _("Desativado: %(name)s.") % {"name": before["name"]}
    parts = [
        _("%(column)s de %(before)s para %(after)s")
        % {
            "column": label,
            "before": _quoted(column, before[column]),
            "after": _quoted(column, after[column]),
        }
        for column, label in DIRECTORY_COLUMNS.items()
        if before.get(column) != after.get(column)
    ]
    return f"{before['name']}: {', '.join(parts)}."


def _quoted(column: str, value: Any) -> str:
    return f"“{text}”" if (text := _as_text(column, value)) else _("vazio")


def _as_text(column: str, value: Any) -> str:
    if column == "region":
        return name_of_region(value)
    if column == "price":
        return written_amount(Decimal(value))
    if isinstance(value, bool):
        return _("sim") if value else _("não")
    return ", ".join(value) if isinstance(value, list) else str(value)


def sentence_of_keeping(after: Snapshot) -> str:
    """Return what a change of time zone did to future times; `after` is that of its ClinicEvent."""
    return KEEPING[after["keep"]] % {"ahead": in_numbers(after["appointments"], after["absences"])}


def in_numbers(appointments: int, absences: int) -> str:
    """Return the counts as "312 agendamentos futuros e 4 ausências ou fechamentos"; "" for two zeros."""
    parts = [
        ngettext("%(n)s agendamento futuro", "%(n)s agendamentos futuros", appointments) % {"n": appointments},
        ngettext("%(n)s ausência ou fechamento", "%(n)s ausências ou fechamentos", absences) % {"n": absences},
    ]
    counted = [part for part, number in zip(parts, (appointments, absences), strict=True) if number]
    return str(_(" e ")).join(counted)
