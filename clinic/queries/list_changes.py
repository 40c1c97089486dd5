"""What was done with requests of the waiting list, with recalls and with memos, in words. Reads only."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from django.db.models import Model
from django.utils.translation import gettext as _

from clinic.models import Clinic, Doctor, Memo, Procedure, Recall, RecallEvent, RowChange, WaitingEvent, WorkingHours
from clinic.queries.patient_changes import Change
from clinic.queries.row_changes import Names

type Snapshot = dict[str, Any]

MEMO = Memo._meta.db_table.removeprefix("clinic_")  # `table` of the memos' RowChanges
SHOWN_OF_MEMO = ("day", "hour", "recipient_id")
NOBODY = "—"  # a doctor or a procedure that there is no more


def referred(events: Iterable[Any]) -> dict[type[Model], set[int]]:
    """Return the ids of the doctors and procedures that these events name; other rows name none here."""
    wanted: dict[type[Model], set[int]] = defaultdict(set)
    for event in events:
        if not isinstance(event, WaitingEvent | RecallEvent):
            continue
        for snapshot in (event.before, event.after):
            wanted[Doctor] |= {*_ids(snapshot, "doctors"), *_ids(snapshot, "doctor")}
            wanted[Doctor] |= {int(value.partition("|")[0]) for value in snapshot.get("times", ())}
            wanted[Procedure] |= {*_ids(snapshot, "procedures"), *_ids(snapshot, "procedure")}
    return wanted


def _ids(snapshot: Snapshot, name: str) -> list[int]:
    value = snapshot.get(name)
    return value if isinstance(value, list) else [value] if value else []


def of_waiting(event: WaitingEvent, clinic: Clinic, names: Names) -> list[Change]:
    """Return what a request of the waiting list became; of a time that the patient did not want, which."""
    if event.kind == WaitingEvent.Kind.DECLINED:
        times = [_offered(value, clinic, names) for value in event.after["times"]]
        return [Change(_("horário oferecido"), "", "; ".join(times))]
    return _changes(_request(event.before, names), _request(event.after, names))


def _offered(value: str, clinic: Clinic, names: Names) -> str:
    doctor, _bar, starts_at = value.partition("|")
    at = clinic.local(datetime.fromisoformat(starts_at))
    return f"{at:%d/%m/%Y %H:%M}, {names.get((Doctor, int(doctor)), NOBODY)}"


def _request(snapshot: Snapshot, names: Names) -> dict[str, str]:
    """Return the texts of a snapshot by their labels, "" for what is not wished."""
    if "note" not in snapshot:
        return {}
    weekdays = (str(WorkingHours.Weekday(day).label) for day in snapshot["weekdays"])
    return {
        _("procedimentos"): _named(Procedure, _ids(snapshot, "procedures"), names),
        _("médico(a)"): _named(Doctor, _ids(snapshot, "doctors"), names),
        _("dias"): ", ".join(weekdays),
        _("horário"): "–".join(snapshot[name][:5] for name in ("from_time", "to_time") if snapshot[name]),
        _("até"): _day(snapshot["until"]),
        _("urgente"): _("sim") if snapshot["is_urgent"] else "",
        _("observações"): snapshot["note"],
    }


def of_recall(event: RecallEvent, names: Names) -> list[Change]:
    """Return what a recall became."""
    return _changes(_recall(event.before, names), _recall(event.after, names))


def _recall(snapshot: Snapshot, names: Names) -> dict[str, str]:
    texts = {
        _("procedimentos"): _named(Procedure, _ids(snapshot, "procedure"), names),
        _("médico(a)"): _named(Doctor, _ids(snapshot, "doctor"), names),
        _("data"): _day(snapshot.get("due_on")),
        _("observações"): snapshot.get("note", ""),
    }
    outcome = snapshot.get("outcome")
    return texts | ({_("resultado"): str(Recall.Outcome(outcome).label)} if outcome else {})


def _changes(before: dict[str, str], after: dict[str, str]) -> list[Change]:
    """Return the texts that differ; what became empty says so, what began empty has no text before."""
    labels = dict.fromkeys([*before, *after])
    pairs = ((label, before.get(label, ""), after.get(label, "")) for label in labels)
    return [Change(label, was, becomes or _("vazio")) for label, was, becomes in pairs if was != becomes]


def _named(model: type[Model], ids: list[int], names: Names) -> str:
    return ", ".join(names.get((model, pk), NOBODY) for pk in ids)


def _day(value: str | None) -> str:
    return f"{date.fromisoformat(value):%d/%m/%Y}" if value else ""


def act_of_memo(change: RowChange) -> str:
    """Return what was done with a memo, in words."""
    if change.act != RowChange.Act.CHANGED:
        return _("escrito") if change.act == RowChange.Act.ADDED else _("apagado")
    if change.after.get("done_at"):
        return _("feito")
    return _("reaberto") if change.before.get("done_at") else _("alterado")
