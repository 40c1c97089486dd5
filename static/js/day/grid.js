// Reads the day's grid and the panel beside it, for the other modules.

export const panel = document.getElementById("panel");
export const day = () => document.getElementById("day");

// The number in a class of the element, as 12 in `from-12`.
export const numberIn = (element, prefix) => Number(element.className.match(new RegExp(`\\b${prefix}-(\\d+)`))?.[1]);

// Minutes since midnight of a time that begins the text; NaN when none does.
export const minutes = (text) =>
  /^\d\d?:\d\d/.test(text) ? Number(text.split(":")[0]) * 60 + Number(text.split(":")[1].slice(0, 2)) : NaN;

// The head of a column, and the doctor and the date of what is in it: on the page of a week each column is another date.
export const columnHead = (column) => day().querySelector(`.doctor.col-${column}`);
export const doctorOf = (column) => columnHead(column).dataset.doctor;
export const dateOf = (column) => columnHead(column).dataset.date || day().dataset.date;

// How many dates are shown.
export const daysShown = () => Number(day().dataset.days || 1);

// Which dates are shown, to be compared.
export const periodShown = () => `${day().dataset.date}/${daysShown()}`;

const clocks = () => [...day().querySelectorAll(".clock")];

// The row of a minute, undefined before the first hour. Labels, not arithmetic: on a day on which clocks change the hours
// are not 60 minutes apart on paper.
export function rowAt(minute) {
  const hour = clocks().findLast((clock) => minutes(clock.textContent) <= minute);
  return hour && numberIn(hour, "from") + Math.floor((minute - minutes(hour.textContent)) / 5);
}

// The minute at which a row begins.
export function minuteAt(row) {
  const hour = clocks().findLast((clock) => numberIn(clock, "from") <= row);
  return minutes(hour.textContent) + (row - numberIn(hour, "from")) * 5;
}

const twoDigits = (number) => String(number).padStart(2, "0");

// A minute since midnight as 09:05.
export const timeOf = (minute) => `${twoDigits(Math.floor(minute / 60) % 24)}:${twoDigits(minute % 60)}`;

// The form in the panel that has a date and a time, for booking or moving.
export const form = () => [...panel.querySelectorAll("form")].find((candidate) => candidate.elements.starts && candidate.elements.date);

// An element of the script's own beside the day, which stays when the day is drawn anew.
export function addBeside(id, properties) {
  const element = Object.assign(document.createElement("div"), { id, ...properties });
  document.getElementById("main").append(element);
  return element;
}

// On a narrow screen the day is a list by hour.
export const isList = () => matchMedia("(max-width: 44rem)").matches;
