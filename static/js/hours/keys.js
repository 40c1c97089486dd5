// Moves the hours in focus by keys, removes them, and adds some to a day; what the buttons beside the week's grid do.

import { areDaysRows, areSameHours, clampMinutes, dayBeside, hoursOfBar, stepOf, weekLanes } from "./grid.js";
import { chooseBar, chosenBar, dropHours, giveUpHours, goBack, leadHours, ledHours, sendHours, showWholeDay, wholeDay } from "./led.js";

const WHOLE_DAY = 1440;
const PAUSE_MS = 700; // after the last key hours are dropped
const USUAL_START = 480;
const USUAL_LENGTH = 240;

const KEYS_OF_TIME = () => (areDaysRows() ? { ArrowLeft: -1, ArrowRight: 1 } : { ArrowUp: -1, ArrowDown: 1 });
const KEYS_OF_DAYS = () => (areDaysRows() ? { ArrowUp: -1, ArrowDown: 1 } : { ArrowLeft: -1, ArrowRight: 1 });

// The next quarter, from hours that stand on none too.
const stepped = (minutes, by, step) => (by > 0 ? Math.floor(minutes / step) + 1 : Math.ceil(minutes / step) - 1) * step;

function placeByKey(at, event) {
  const step = stepOf(event);
  const [later, days] = [KEYS_OF_TIME()[event.key], KEYS_OF_DAYS()[event.key]];
  if (days) return event.shiftKey ? at : { ...at, day: dayBeside(at.day, days) };
  if (event.shiftKey) return { ...at, to: clampMinutes(stepped(at.to, later, step), at.from + step, at.from + WHOLE_DAY) };
  const from = clampMinutes(stepped(at.from, later, step), 0, WHOLE_DAY - step);
  return { ...at, from, to: from + at.to - at.from };
}

function leadByKey(bar, event) {
  const was = ledHours()?.was || hoursOfBar(bar);
  const at = placeByKey(ledHours()?.at || was, event);
  const led = leadHours(was, at, { isSpoken: true });
  led.timer = setTimeout(dropHours, PAUSE_MS);
}

const remove = (bar) => sendHours(hoursOfBar(bar), null);

// Behind the last hours of the day.
function addTo(lane) {
  const own = [...lane.querySelectorAll(".bar")].map(hoursOfBar);
  const night = (hours) => (hours.day === Number(lane.dataset.day) ? hours.to : hours.to - WHOLE_DAY);
  const from = own.length ? Math.max(...own.map(night)) : USUAL_START;
  const to = Math.min(from + USUAL_LENGTH, WHOLE_DAY);
  if (from < to) sendHours(null, { day: Number(lane.dataset.day), from, to });
}

function pressOnBar(bar, event) {
  if (event.key.startsWith("Arrow") && !event.ctrlKey && !event.metaKey) return () => leadByKey(bar, event);
  if (event.key === "Delete" || event.key === "Backspace") return () => remove(bar);
  if (event.key === "Enter" || event.key === " ") return () => ledHours() && dropHours();
  return event.key === "Escape" && ledHours() ? giveUpHours : null;
}

document.addEventListener("keydown", (event) => {
  const bar = event.target.closest?.("#week-grid button.bar");
  const act = bar && pressOnBar(bar, event);
  if (!act) return;
  event.preventDefault();
  act();
});

// Going elsewhere drops them.
document.addEventListener("focusout", ({ target }) => {
  if (target.matches?.("#week-grid button.bar") && ledHours()?.timer && areSameHours(ledHours().was, hoursOfBar(target))) dropHours();
});

document.addEventListener("focusin", ({ target }) => {
  if (target.matches?.("#week-grid button.bar")) chooseBar(target);
});

const ACTS = {
  remove: () => chosenBar() && remove(chosenBar()),
  back: goBack,
  whole: () => showWholeDay(!wholeDay()),
};

document.addEventListener("click", ({ target }) => {
  const act = target.closest("[data-week-act]")?.dataset.weekAct;
  const day = target.closest("[data-week-add]")?.dataset.weekAdd;
  if (act) ACTS[act]();
  else if (day) addTo(weekLanes()[day - 1]);
});
