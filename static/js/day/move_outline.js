// The outline of the place that an appointment is being moved to, with its time and doctor.

import { day, timeOf } from "./grid.js";
import { doctorName, isFreePlace, isSamePlace, rowsOf } from "./move_places.js";

export const removeOutline = () => document.getElementById("outline")?.remove();

export function drawOutline(place, from) {
  removeOutline();
  const [first, last] = rowsOf(place);
  const outline = document.createElement("div");
  outline.id = "outline";
  outline.ariaHidden = "true";
  outline.className = `chosen outline from-${first} to-${last} col-${place.column}`;
  outline.classList.toggle("not-free", !isSamePlace(place, from) && !isFreePlace(place));
  outline.textContent = `${timeOf(place.minute)} ${doctorName(place.column)}`;
  day().querySelector(".grid").append(outline);
  return outline;
}
