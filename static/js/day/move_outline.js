// The outline of the place that an appointment is being moved to, with its time and doctor.

import { day, timeOf } from "./grid.js";
import { doctorName, isSameLength, looksFree, rowsOf } from "./move_places.js";

export const removeOutline = () => document.getElementById("outline")?.remove();

export function drawOutline(place, from) {
  removeOutline();
  const [first, last] = rowsOf(place);
  const outline = document.createElement("div");
  outline.id = "outline";
  outline.ariaHidden = "true";
  outline.className = `chosen outline from-${first} to-${last} col-${place.column}`;
  outline.classList.toggle("not-free", !looksFree(place, from));
  const until = isSameLength(place, from) ? "" : `–${timeOf(place.minute + place.length)}`;
  outline.textContent = `${timeOf(place.minute)}${until} ${doctorName(place.column)}`;
  day().querySelector(".grid").append(outline);
  return outline;
}
