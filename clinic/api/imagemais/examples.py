"""Examples of the OpenAPI document: the vendor's own samples, and others in their style."""

from clinic.api.imagemais import messages
from clinic.refusals import Reason

PATIENT = {"name": "João Silva", "phone": "(81) 99999-9999", "dateBirth": "1990-01-01", "cpf": "123.456.789-00"}
BOOKING = {
    "patient": PATIENT,
    "procedures": [{"id": 3200}, {"id": 3600, "discountId": 7}],
    "doctorId": 1,
    "date": "2025-12-23",
    "startTime": "09:00",
    "endTime": "09:15",
    "notes": "Observações sobre o agendamento",
}
DISCOUNT = {"id": 7, "name": "Desconto de 20%", "fixed": None, "percentage": 20, "expirationDate": None}
PROCEDURE = {"id": 2, "name": "17 BETA ESTRADIOL E2 - SEGUNDA AMOSTRA", "price": "252"}
STORED_PATIENT = {
    "dateBirth": "1990-01-01T00:00:00.000Z",
    "id": 9253,
    "name": "João Silva",
    "cpf": None,
    "contact": {"phone": "(81) 99999-9999"},
}
APPOINTMENT = {
    "id": 58,
    "date": "2025-12-25T00:00:00.000Z",
    "startTime": "09:00",
    "endTime": "09:05",
    "notes": "Observações sobre o agendamento",
    "accountId": 1,
    "createdAt": "2025-12-22T16:35:33.920Z",
    "updatedAt": "2025-12-22T16:35:33.920Z",
    "deletedAt": None,
    "doctor": {"id": 1, "name": "Dr Victor"},
    "patient": STORED_PATIENT,
    "status": {"id": 1, "name": "Agendado", "color": "#ffc107"},
    "appointmentProcedures": {
        "price": "252",
        "discountsAppointmentProcedures": [{"discountId": 7, "value": "50.4", "discount": DISCOUNT}],
        "procedure": PROCEDURE,
    },
}
DOCTOR = {
    "id": 1,
    "name": "Dr Victor",
    "intervalMinutes": 15,
    "startTime": "08:00",
    "endTime": "18:00",
    "workingDays": ["Segunda", "Quarta", "Sexta"],
    "isBusy": False,
    "procedures": [PROCEDURE],
}
NEW_DOCTOR = {
    "name": "Dr Victor",
    "procedureIds": [2],
    "startTime": "08:00",
    "endTime": "18:00",
    "intervalMinutes": 15,
    "workingDays": ["Segunda", "Quarta", "Sexta"],
}
PAYMENT = {
    "method": "cartão de crédito",
    "value": "252",
    "flag": "Visa",
    "instalments": 3,
    "protocol": "123",
}
TAKEN = messages.example(Reason.DOCTOR_TAKEN, slots="09:00")
