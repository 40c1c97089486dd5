// A booking by a client that was generated from the ImageMais document: found, made, moved, confirmed, listed.
import createClient from "openapi-fetch";
import type { paths } from "./generated/imagemais.js";

const [, , address, token, day] = process.argv as string[];
const client = createClient<paths>({ baseUrl: address, headers: { Authorization: `Bearer ${token}` } });

function need<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new Error(`no ${what}`);
  return value;
}

const doctors = need((await client.GET("/api/doctors")).data, "doctors");
const doctor = need(doctors[0], "doctor");
const procedure = need(doctor.procedures[0], "procedure");
const path = { doctor_id: doctor.id };
const slots = await client.GET("/api/doctors/{doctor_id}/slots", {
  params: { path, query: { date: day!, procedureId: [procedure.id], expand: "spoken" } },
});
const [first, second] = need(slots.data, "slots");
const patient = { name: "João Silva", phone: "(81) 99999-9999", dateBirth: "1990-01-01", cpf: "529.982.247-25" };
const time = need(first, "free time");
const booked = await client.POST("/api/appointments", {
  params: { header: { "Idempotency-Key": "typescript-1" } },
  body: { patient, procedures: [{ id: procedure.id }], doctorId: doctor.id, date: day!, startTime: time.startTime, endTime: time.endTime },
});
const appointment = need(need(booked.data, "booking")[0], "appointment");
const later = need(second, "another free time");
const moved = await client.PATCH("/api/appointments/{appointment_id}/reschedule", {
  params: { path: { appointment_id: appointment.id } },
  body: { doctorId: doctor.id, date: day!, startTime: later.startTime, endTime: later.endTime },
});
const confirmed = await client.PATCH("/api/appointments/{appointment_id}/status", {
  params: { path: { appointment_id: appointment.id } },
  body: { action: "confirmado" },
});
const listed = need((await client.GET("/api/appointments", { params: { query: { date: day! } } })).data, "list");
console.log(JSON.stringify({
  spoken: time.spoken,
  moved: need(moved.data, "move")[0]?.startTime === later.startTime,
  status: need(confirmed.data, "status")[0]?.status.name,
  listed: listed.map((element) => element.patient.name),
  refused: (await client.GET("/api/appointments/{appointment_id}", { params: { path: { appointment_id: 0 } } })).error?.statusCode,
}));
