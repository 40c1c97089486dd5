"""What becomes of the data of two patients who are merged, and of all that only refers to them; and undoing it.

`booking.merge` locks the rows and moves appointments. Fields that go together are chosen together (`CHOICES`).
"""

from collections.abc import Iterable, Mapping
from dataclasses import fields, replace
from datetime import date, datetime
from enum import Enum
from typing import Any, NamedTuple

from django.db.models import Q

from clinic.models import FormerName, Memo, Patient, PatientEvent, PatientMerge, Payer
from clinic.models.names import same_letters
from clinic.models.patient import DATES
from clinic.models.patient_merge import UNDOABLE
from clinic.refusals import Reason, Refusal
from clinic.registry.consents import follow_column
from clinic.registry.patient_details import HEADS, MAX_ALERT_LENGTH, MAX_PATIENT_NOTES_LENGTH, TOGETHER, PatientDetails
from clinic.registry.patient_events import Author, differences, record_event
from clinic.registry.patients import UNIQUE_NUMBERS, details_of, is_of_another, write_values


class Side(Enum):
    """Whose data are taken: those of the patient who is kept, of the merged one, or both, one after the other."""

    KEPT = "kept"
    MERGED = "merged"
    BOTH = "both"


class NotRestored(NamedTuple):
    """The choices that undoing a merge leaves as they are: `changed` since, or a payer that is gone since; and `taken`,
    numbers that are another patient's by now."""

    changed: list[str]
    taken: list[str]


# All choices, in the order of PatientDetails.
CHOICES: Mapping[str, tuple[str, ...]] = {
    field.name: TOGETHER.get(field.name, (field.name,)) for field in fields(PatientDetails) if field.name not in HEADS
}
# Texts of both that may stand one after the other.
JOINED = ("notes", "alert")


def differing(kept: PatientDetails, merged: PatientDetails) -> list[str]:
    """Return the choices there are between two patients: of what differs and is known of both; and whether one is
    dead is always a choice where the two differ."""
    return [
        name
        for name, together in CHOICES.items()
        if _values(kept, together) != _values(merged, together) and _is_asked(name, kept, merged)
    ]


def sides_of(name: str, kept: PatientDetails, merged: PatientDetails) -> list[Side]:
    """Return whose data can be taken for a choice that `differing` has: both where they can stand one after the
    other."""
    can_be_both = name in JOINED and (name != "alert" or len(_joined_alerts(kept, merged)) <= MAX_ALERT_LENGTH)
    return [Side.KEPT, Side.MERGED, Side.BOTH] if can_be_both else [Side.KEPT, Side.MERGED]


def side_without_choice(name: str, kept: PatientDetails, merged: PatientDetails) -> Side:
    """Return whose data are taken where nobody chose: of both if that is possible, of who refuses messages, of who is
    marked as dead, and else of the kept one."""
    if Side.BOTH in sides_of(name, kept, merged):
        return Side.BOTH
    is_careful = {"accepts_whatsapp": merged.accepts_whatsapp is False, "died": merged.died and not kept.died}
    return Side.MERGED if is_careful.get(name) else Side.KEPT


def merged_details(kept: PatientDetails, merged: PatientDetails, sides: Mapping[str, Side]) -> PatientDetails:
    """Return the data of two patients as those of one.

    What only one of them has is taken, and of all else `sides` says whose, without a choice `side_without_choice`. A
    phone that is not taken becomes the second one where there is none. An alert that is not taken because both do not
    fit is added to the notes, if it fits there. Asks no rule: what both have was stored by the rules already.
    """
    taken: dict[str, Any] = {}
    for name, together in CHOICES.items():
        source = merged if _is_taken(name, kept, merged, sides) else kept
        taken |= {field: getattr(source, field) for field in together}
    if _side("notes", kept, merged, sides) is Side.BOTH:
        taken["notes"] = _joined("\n\n", kept.notes, merged.notes)
    if _side("alert", kept, merged, sides) is Side.BOTH:
        taken["alert"] = _joined_alerts(kept, merged)
    elif Side.BOTH not in sides_of("alert", kept, merged):
        other = kept.alert if taken["alert"] == merged.alert else merged.alert
        notes = _joined("\n\n", taken["notes"], other)
        taken["notes"] = notes if len(notes) <= MAX_PATIENT_NOTES_LENGTH else taken["notes"]
    both = PatientDetails(**taken)
    if both.cpf or both.nif:
        both = replace(both, no_document="")
    others = [
        (both.second_phone, both.second_phone_of),
        *((side.phone, side.phone_of) for side in (kept, merged)),
    ]
    second, second_of = next((other for other in others if other[0] not in ("", both.phone)), ("", ""))
    return replace(both, second_phone=second, second_phone_of=second_of)


def notes_refusals(details: PatientDetails) -> list[Refusal]:
    """Refuse joined notes that are longer than their column."""
    length = len(details.notes)
    if length <= MAX_PATIENT_NOTES_LENGTH:
        return []
    return [Refusal(Reason.NOTES_TOO_LONG, {"length": length, "limit": MAX_PATIENT_NOTES_LENGTH})]


def merge_records(
    kept: Patient, merged: Patient, after: PatientDetails, moved: dict[str, list[int]], by: Author, now: datetime
) -> PatientMerge:
    """Store `after` as the data of `kept`, mark `merged`, move what refers to it, and return what undoing needs.

    What is not taken of the merged patient stands in the event of that one, so that nothing is lost.
    `moved` are the ids of what was moved already. In the caller's transaction, which has locked both rows."""
    before, before_of_merged = details_of(kept), details_of(merged)
    names = _store_former_names(kept, merged, after)
    numbers = {name: getattr(merged, name) for name in UNIQUE_NUMBERS if getattr(merged, name)}
    merged.merged_into = kept
    write_values(merged, dict.fromkeys(UNIQUE_NUMBERS), "merged_into")
    write_values(kept, _differing_values(before, after))
    memos = Memo.objects.of(kept.clinic_id).filter(patient=merged).order_by("pk")
    moved |= {"memos": list(memos.values_list("pk", flat=True)), "former_names": names}
    memos.update(patient=kept)
    record_event(kept, PatientEvent.Kind.MERGED, differences(before, after), by, now)
    follow_column(kept, before, after, by)
    given_up = _not_taken(before_of_merged, after) | differences(before_of_merged, details_of(merged))
    record_event(merged, PatientEvent.Kind.MERGED, given_up, by, now)
    return PatientMerge.objects.create(
        clinic_id=kept.clinic_id,
        kept=kept,
        merged=merged,
        at=now,
        channel=by.channel,
        user=by.user,
        credential=by.credential,
        changes=_changes_together(before, after),
        numbers=numbers,
        moved=moved,
    )


def separate_records(merge: PatientMerge, kept: Patient, merged: Patient, by: Author, now: datetime) -> NotRestored:
    """Give `kept` the data from before the merge, and `merged` its numbers and memos; return the choices that stay as
    they are.

    In the caller's transaction, which has locked both rows."""
    before, before_of_merged = details_of(kept), details_of(merged)
    restored, stays = _restored(merge, kept)
    write_values(kept, restored)
    merged.merged_into = None
    numbers = {name: number for name, number in merge.numbers.items() if not is_of_another(merged, name, number)}
    write_values(merged, numbers, "merged_into")
    clinic_id = kept.clinic_id
    Memo.objects.of(clinic_id).filter(pk__in=merge.moved["memos"], patient=kept).update(patient=merged)
    FormerName.objects.of(clinic_id).filter(pk__in=merge.moved["former_names"], patient=kept).delete()
    record_event(kept, PatientEvent.Kind.SEPARATED, differences(before, details_of(kept)), by, now)
    follow_column(kept, before, details_of(kept), by)
    record_event(merged, PatientEvent.Kind.SEPARATED, differences(before_of_merged, details_of(merged)), by, now)
    merge.undone_at, merge.undone_by = now, by.user
    merge.save(update_fields=["undone_at", "undone_by"])
    taken = {*stays.taken, *(name for name in merge.numbers if name not in numbers)}
    return stays._replace(taken=[name for name in CHOICES if name in taken])


def forget_merged_values(now: datetime) -> int:
    """Empty what undoing would need of the merges, of all clinics, that cannot be undone any more at `now`; return how
    many there were. Who merged which records, and when, stays."""
    over = PatientMerge.objects.filter(Q(undone_at__isnull=False) | Q(at__lt=now - UNDOABLE))
    return over.exclude(changes={}, numbers={}).update(changes={}, numbers={})


def _values(details: PatientDetails, names: Iterable[str]) -> list[Any]:
    return [getattr(details, name) for name in names]


def _is_known(details: PatientDetails, name: str) -> bool:
    """Return whether there is anything to choose; that messages are not accepted is known, too."""
    return getattr(details, name) not in ("", None) and (name != "died" or details.died)


def _is_asked(name: str, kept: PatientDetails, merged: PatientDetails) -> bool:
    return name == "died" or (_is_known(kept, name) and _is_known(merged, name))


def _side(name: str, kept: PatientDetails, merged: PatientDetails, sides: Mapping[str, Side]) -> Side:
    return sides.get(name) or side_without_choice(name, kept, merged)


def _is_taken(name: str, kept: PatientDetails, merged: PatientDetails, sides: Mapping[str, Side]) -> bool:
    """Return whether the merged patient's data are taken for this choice."""
    if not _is_asked(name, kept, merged):
        return _is_known(merged, name)
    return _side(name, kept, merged, sides) is Side.MERGED


def _joined(between: str, *texts: str) -> str:
    return between.join(dict.fromkeys(filter(None, texts)))


def _joined_alerts(kept: PatientDetails, merged: PatientDetails) -> str:
    return _joined(" · ", kept.alert, merged.alert)


def _not_taken(merged: PatientDetails, after: PatientDetails) -> dict[str, list[Any]]:
    """Return [the merged patient's value, what the kept one has] of each field that the kept one has otherwise."""
    return {
        name: pair
        for name, pair in differences(merged, after).items()
        if _is_known(merged, name) and not (name in JOINED and pair[0] in pair[1])
    }


def _differing_values(before: PatientDetails, after: PatientDetails) -> dict[str, Any]:
    return {name: getattr(after, name) for name in differences(before, after)}


def _changes_together(before: PatientDetails, after: PatientDetails) -> dict[str, list[Any]]:
    """Return [before, after] of each field that changes, and of those that go together with it."""
    changed = differences(before, after)
    return {
        name: [getattr(before, name), getattr(after, name)]
        for together in CHOICES.values()
        if not changed.keys().isdisjoint(together)
        for name in together
    }


def _store_former_names(kept: Patient, merged: Patient, after: PatientDetails) -> list[int]:
    """Have searches of the desk find the kept patient by the other names, too; return the ids of what was added.

    Of who has a nome social none is kept (`keep_former_name`)."""
    if kept.social_name or merged.social_name:
        return []
    former_names = FormerName.objects.of(kept.clinic_id)
    known = {kept.name, merged.name, *former_names.filter(patient=merged).values_list("name", flat=True)}
    of_kept = former_names.filter(patient=kept)
    there = set(of_kept.values_list("pk", flat=True))
    rows = [FormerName(clinic_id=kept.clinic_id, patient=kept, name=name) for name in sorted(known)]
    FormerName.objects.bulk_create(rows, ignore_conflicts=True)
    of_kept.filter(same_letters("search", after.name)).exclude(pk__in=there).delete()
    return list(of_kept.exclude(pk__in=there).order_by("pk").values_list("pk", flat=True))


def _restored(merge: PatientMerge, kept: Patient) -> tuple[dict[str, Any], NotRestored]:
    """Return the values from before the merge of what was not changed since, and the choices that stay."""
    present = details_of(kept)
    restored: dict[str, Any] = {}
    stays = NotRestored([], [])
    for choice, together in CHOICES.items():
        changed = {name: merge.changes[name] for name in together if name in merge.changes}
        before = {name: _read(name, pair[0]) for name, pair in changed.items()}
        is_as_merged = all(getattr(present, name) == _read(name, pair[1]) for name, pair in changed.items())
        if any(is_of_another(kept, name, before[name]) for name in before):
            stays.taken.append(choice)
        elif is_as_merged and _is_possible(before, replace(present, **restored), kept.clinic_id):
            restored |= before
        else:
            stays.changed.append(choice)
    return restored, stays


def _is_possible(before: Mapping[str, Any], present: PatientDetails, clinic_id: int) -> bool:
    """Return whether these values can stand beside the present ones: a payer is there still, and who has no document
    has none."""
    if payer := before.get("payer_id"):
        return Payer.objects.of(clinic_id).filter(pk=payer).exists()
    return not (before.get("no_document") and (present.cpf or present.nif))


def _read(name: str, value: Any) -> Any:
    """Return a value of `PatientMerge.changes` as PatientDetails has it."""
    return date.fromisoformat(value) if name in DATES and value else value
