// A booking by a client that was generated from the MiviCall document: found, made, moved, listed, cancelled.
import createClient from "openapi-fetch";
import type { paths } from "./generated/mivicall.js";

const [, , address, key, from, to] = process.argv as string[];
const client = createClient<paths>({ baseUrl: address, headers: { Authorization: `Bearer ${key}` } });

function need<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new Error(`no ${what}`);
  return value;
}

const services = need((await client.GET("/v1/services")).data, "services");
const service = need(services.items[0], "service");
const free = await client.GET("/v1/availability", {
  params: { query: { serviceTypeId: service.id, from: from!, to: to!, expand: "professional,spoken" } },
});
const [first, second] = need(free.data, "availability").items;
const time = need(first, "free time");
const booked = await client.POST("/v1/appointments", {
  params: { header: { "Idempotency-Key": "typescript-1" } },
  body: {
    professionalId: time.professionalId,
    serviceTypeId: service.id,
    patientName: "Maria Silva",
    patientPhone: "+351912345678",
    startsAt: time.startsAt,
  },
});
const appointment = need(booked.data, "appointment");
const path = { id: appointment.id };
const later = need(second, "another free time");
const moved = need((await client.PATCH("/v1/appointments/{id}", { params: { path }, body: { startsAt: later.startsAt } })).data, "move");
const listed = need((await client.GET("/v1/appointments", { params: { query: { from: from!, to: to! } } })).data, "list");
const cancelled = await client.DELETE("/v1/appointments/{id}", { params: { path } });
const shown = need((await client.GET("/v1/appointments/{id}", { params: { path } })).data, "appointment");
console.log(JSON.stringify({
  professional: time.professional?.name,
  moved: moved.startsAt === later.startsAt && moved.status,
  listed: listed.items.map((item) => item.patientName),
  cancelled: cancelled.response.status,
  status: shown.status,
}));
