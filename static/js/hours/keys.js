// Moves the hours in focus by keys, removes them, and adds some to a day; what the buttons beside the week's grid do.

import { areDaysRows, areSameHours, clampMinutes, DAY_MINUTES, dayBeside, freeHoursOf, listenBesideWeek, stepOf } from "./grid.js";
import { chooseBar, chosenBar, drop, dropAfter, giveUp, goBack } from "./moving.js";
import { hoursInMotion, moveHours, presentHours, sendHours, showWholeDay, wholeDay } from "./moving.js";

const PAUSE_MS = 700; // after the last key hours are dropped

const KEYS_OF_TIME = () => (areDaysRows() ? { ArrowLeft: -1, ArrowRight: 1 } : { ArrowUp: -1, ArrowDown: 1 });
const KEYS_OF_DAYS = () => (areDaysRows() ? { ArrowUp: -1, ArrowDown: 1 } : { ArrowLeft: -1, ArrowRight: 1 });

// The next quarter, from hours that stand on none too.
const stepped = (minutes, by, step) => (by > 0 ? Math.floor(minutes / step) + 1 : Math.ceil(minutes / step) - 1) * step;

function placeByKey(at, event) {
  const step = stepOf(event);
  const [later, days] = [KEYS_OF_TIME()[event.key], KEYS_OF_DAYS()[event.key]];
  if (days) return event.shiftKey ? at : { ...at, day: dayBeside(at.day, days) };
  if (event.shiftKey) return { ...at, to: clampMinutes(stepped(at.to, later, step), at.from + step, at.from + DAY_MINUTES) };
  const from = clampMinutes(stepped(at.from, later, step), 0, DAY_MINUTES - step);
  return { ...at, from, to: from + at.to - at.from };
}

const isInMotion = (hours) => hoursInMotion() && areSameHours(hoursInMotion().was, hours);

function moveByKey(was, event) {
  if (hoursInMotion() && !isInMotion(was)) drop();
  moveHours(was, placeByKey(isInMotion(was) ? hoursInMotion().at : was, event), { isSpoken: true });
  dropAfter(PAUSE_MS);
}

function remove(bar) {
  const hours = presentHours(bar);
  if (hours) sendHours(hours, null);
}

function pressOnBar(bar, event) {
  const hours = presentHours(bar);
  if (event.key.startsWith("Arrow") && !event.ctrlKey && !event.metaKey) return () => hours && moveByKey(hours, event);
  if (event.key === "Delete" || event.key === "Backspace") return () => remove(bar);
  if (event.key === "Enter" || event.key === " ") return () => isInMotion(hours) && drop();
  return event.key === "Escape" && hoursInMotion() ? giveUp : null;
}

listenBesideWeek("keydown", (event) => {
  const bar = event.target.closest?.("#week-grid button.bar");
  const act = bar && pressOnBar(bar, event);
  if (!act) return;
  event.preventDefault();
  act();
});

listenBesideWeek("focusin", ({ target }) => {
  if (target.matches?.("#week-grid button.bar")) chooseBar(target);
});

const ACTS = {
  remove: () => chosenBar() && remove(chosenBar()),
  back: goBack,
  whole: () => showWholeDay(!wholeDay()),
};

listenBesideWeek("click", ({ target }) => {
  const act = target.closest("[data-week-act]")?.dataset.weekAct;
  const day = target.closest("[data-week-add]")?.dataset.weekAdd;
  if (act) ACTS[act]();
  else if (day) sendHours(null, freeHoursOf(Number(day)));
});
