"""The address that opens a conversation in WhatsApp: no message is sent by this program."""

from urllib.parse import quote

from clinic.models import Patient, phones


def conversation(patient: Patient, text: str) -> str:
    """Return the address with a text that can be sent as it is; "" without a number, for one that takes no messages,
    and for a patient who wants none or has died."""
    if (
        patient.died
        or patient.accepts_whatsapp is False
        or not patient.phone
        or not phones.takes_messages(patient.phone)
    ):
        return ""
    return f"https://wa.me/{str(patient.phone.as_e164).removeprefix('+')}?text={quote(text)}"
