// Reads the day's grid and the panel beside it, for the other modules.

export const panel = document.getElementById("panel");
export const day = () => document.getElementById("day");

// The number in a class of the element, as 12 in `from-12`.
export const numberIn = (element, prefix) => Number(element.className.match(new RegExp(`\\b${prefix}-(\\d+)`))?.[1]);

// Minutes since midnight of a time that begins the text; NaN when none does.
export const minutes = (text) =>
  /^\d\d?:\d\d/.test(text) ? Number(text.split(":")[0]) * 60 + Number(text.split(":")[1].slice(0, 2)) : NaN;

// The form in the panel that has a date and a time, for booking or moving.
export const form = () => [...panel.querySelectorAll("form")].find((candidate) => candidate.elements.starts && candidate.elements.date);

// On a narrow screen the day is a list by hour.
export const isList = () => matchMedia("(max-width: 44rem)").matches;
