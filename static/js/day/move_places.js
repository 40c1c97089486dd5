// Where the appointment that is being moved could go, as the server has answered, and how a place is spoken.

import { columnHead, dateOf, day, doctorOf, minutes, numberIn, rowAt } from "./grid.js";

const places = () => document.getElementById("places");
const answerFor = (column) =>
  [...(places()?.children || [])].find(({ dataset }) => dataset.doctor === doctorOf(column) && dataset.date === dateOf(column));

export const arePlacesOf = (id) => places()?.dataset.card === id;
export const wordOfMove = (name) => places()?.dataset[name] || "";
export const doctorName = (column) => columnHead(column).querySelector("b").textContent;
export const lastColumn = () => day().querySelectorAll(".doctor").length;
export const freeMinutes = (column) => (answerFor(column)?.textContent.split(" ") || []).filter(Boolean).map(minutes);
export const isSamePlace = (one, other) => one.column === other.column && one.minute === other.minute;
export const isSameLength = (one, other) => one.length === other.length;

// The rows that a place covers, the second one not included.
export function rowsOf({ minute, length }) {
  const first = rowAt(minute);
  return [first, first + Math.max(Math.ceil(length / 5), 1)];
}

function covering(place, selector) {
  const [first, last] = rowsOf(place);
  return [...day().querySelectorAll(`.row > ${selector}.col-${place.column}:not(.back, .moved)`)]
    .find((cell) => numberIn(cell, "from") < last && numberIn(cell, "to") > first);
}

// Whether a place looks free. Of another length only the day itself is known, as it is drawn.
export function looksFree(place, from) {
  if (isSameLength(place, from)) return isSamePlace(place, from) || freeMinutes(place.column).includes(place.minute);
  return !covering(place, ".appt") && !covering(place, ".shade");
}

function whyNotFree(place) {
  const card = covering(place, ".appt");
  if (card) return `${wordOfMove("taken")}: ${card.querySelector("b").textContent}`;
  const shade = covering(place, ".shade");
  if (!shade) return wordOfMove("neither");
  if (shade.matches(".taken")) return wordOfMove("taken");
  return [wordOfMove("closed"), shade.firstChild.textContent.trim()].filter(Boolean).join(": ");
}

function stateOf(place, from) {
  if (isSamePlace(place, from) && isSameLength(place, from)) return wordOfMove("here");
  const reason = answerFor(place.column)?.dataset.reason;
  return reason || (looksFree(place, from) ? wordOfMove("free") : whyNotFree(place));
}

function spokenTime(minute) {
  const [hours, rest] = [Math.floor(minute / 60), minute % 60];
  const whole = wordOfMove(hours === 1 ? "hour" : "hours").replace("#", hours);
  return rest ? `${whole} ${wordOfMove("minutes").replace("#", rest)}` : whole;
}

// "quinta, 15 horas, livre"; `from` is where the appointment is.
export function spokenPlace(place, from) {
  return [answerFor(place.column)?.dataset.weekday, spokenTime(place.minute), stateOf(place, from)].filter(Boolean).join(", ");
}

// "45 minutos, até 9 horas e 45, livre".
export function spokenLength(place, from) {
  const length = wordOfMove("length").replace("#", place.length);
  const until = wordOfMove("until").replace("#", spokenTime(place.minute + place.length));
  return [length, until, stateOf(place, from)].join(", ");
}
