// Moves by arrows over cards and free times, in a column and to the next one; the grid is one stop of the Tab key.

import { day, isList, numberIn } from "./grid.js";

const CELLS = ".row > .slot > a[href], .row > .appt > a, .row > .folded > button";
const keyOf = (link) => link.getAttribute("href") || link.id;
let current = null; // the address or id of the cell that Tab reaches
let level = null; // the row that moving sideways keeps, though a column may have nothing there

const cells = () => [...(day()?.querySelectorAll(CELLS) || [])];
const columnOf = (link) => numberIn(link.parentElement, "col");
const rowOf = (link) => numberIn(link.parentElement, "from");

// The first cell that begins at this minute or later; of another day the first one.
function firstStop(all) {
  const line = document.getElementById("now");
  const row = line ? numberIn(line, "from") : 0;
  return all.find((link) => rowOf(link) >= row) || all[0];
}

export function keepOneStop() {
  const all = cells();
  if (isList() || !all.length) return;
  const stop = all.find((link) => keyOf(link) === current) || firstStop(all);
  for (const link of all) link.tabIndex = link === stop ? 0 : -1;
}

function target(link, key) {
  const all = cells();
  const inColumn = (number) => all.filter((other) => columnOf(other) === number).sort((a, b) => rowOf(a) - rowOf(b));
  const column = inColumn(columnOf(link));
  const place = column.indexOf(link);
  if (key === "ArrowDown") return column[place + 1];
  if (key === "ArrowUp") return column[place - 1];
  if (key === "Home") return column[0];
  if (key === "End") return column.at(-1);
  return beside(link, all, inColumn, key === "ArrowRight" ? 1 : -1);
}

// The nearest cell of the next column that has any.
function beside(link, all, inColumn, step) {
  const numbers = [...new Set(all.map(columnOf))].sort((a, b) => a - b);
  const next = numbers[numbers.indexOf(columnOf(link)) + step];
  if (next === undefined) return undefined;
  level ??= rowOf(link);
  const distance = (other) => Math.abs(rowOf(other) - level);
  return inColumn(next).reduce((best, other) => (distance(other) < distance(best) ? other : best));
}

const KEYS = new Set(["ArrowDown", "ArrowUp", "ArrowLeft", "ArrowRight", "Home", "End"]);

document.addEventListener("keydown", (event) => {
  const link = event.target.closest?.(CELLS);
  if (!link || !KEYS.has(event.key) || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
  event.preventDefault();
  const isSideways = event.key === "ArrowLeft" || event.key === "ArrowRight";
  if (!isSideways) level = null;
  const next = target(link, event.key);
  const kept = level;
  next?.focus();
  level = isSideways ? kept : null;
});

document.addEventListener("focusin", ({ target: link }) => {
  if (!link.matches?.(CELLS) || isList()) return;
  current = keyOf(link);
  level = null;
  for (const other of cells()) if (other.tabIndex === 0 && other !== link) other.tabIndex = -1;
  link.tabIndex = 0;
});

keepOneStop();
