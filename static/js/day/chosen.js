// Marks in the day what the panel is about: the card that is open, or an outline of the time that is being chosen.

import { dateOf, day, form, minutes, numberIn, panel, rowAt } from "./grid.js";
import { markUnable } from "./moving.js";

const iso = (date) => date.replace(/^(\d\d?)\/(\d\d?)\/(\d{4})$/, (_, d, m, y) => `${y}-${m.padStart(2, "0")}-${d.padStart(2, "0")}`);
const value = (name) => form()?.elements[name]?.value || "";

// It is scrolled into sight once; after that nobody's scrolling is disturbed.
let shown = "";

function show(element, about) {
  if (about !== shown) element.scrollIntoView({ block: "nearest", inline: "nearest" });
  shown = about;
}

export function markChosen() {
  day()?.querySelector(".appt > [aria-current]")?.removeAttribute("aria-current");
  const open = document.getElementById(panel.querySelector("[data-card]")?.dataset.card);
  open?.setAttribute("aria-current", "true");
  if (open && !form()) show(open, open.id);
  markUnable();
  document.getElementById("chosen")?.remove();
  outlineTime();
}

// The head of the column of a doctor on a date.
const headOf = (doctor, date) =>
  [...day().querySelectorAll(".doctor")].find((head) => head.dataset.doctor === doctor && dateOf(numberIn(head, "col")) === date);

function outlineTime() {
  const grid = day()?.querySelector(".grid");
  const start = minutes(value("starts"));
  if (!grid || !form() || Number.isNaN(start)) return;
  const column = headOf(value("doctor") || form().dataset.doctor || "", iso(value("date")));
  const first = rowAt(start);
  if (!column || first === undefined) return;
  const end = minutes(value("ends"));
  const length = end > start ? end - start : Number(form().dataset.minutes) || Number(column.dataset.interval);
  const last = first + Math.max(Math.ceil(length / 5), 1);
  const number = numberIn(column, "col");
  const mark = document.createElement("div");
  mark.id = "chosen";
  mark.ariaHidden = "true";
  mark.className = `chosen from-${first} to-${last} col-${number}`;
  // Over the card of an appointment the outline is enough: two texts on each other are none.
  const covered = [...grid.querySelectorAll(`.row > .appt.col-${number}:not(.back)`)]
    .some((card) => numberIn(card, "from") < last && numberIn(card, "to") > first);
  mark.classList.toggle("over", covered);
  mark.textContent = covered ? "" : `${value("starts").slice(0, 5)} ${form().dataset.word || day().dataset.freeWord}`;
  grid.append(mark);
  show(mark, mark.className);
}

for (const name of ["input", "change"]) panel.addEventListener(name, markChosen);
document.addEventListener("htmx:afterSettle", ({ target }) => panel.contains(target) && markChosen());
