// Drags hours in the week's grid: an empty place makes some, the middle of a bar moves it, its ends make it longer or shorter.

import { areDaysRows, clampMinutes, dayBeside, hoursOfBar, barOf, shownMinutes, stepOf, weekGrid, weekLanes } from "./grid.js";
import { chooseBar, dropHours, giveUpHours, leadHours, ledHours } from "./led.js";

const MIDNIGHT = 1440;
const TREMBLE_PX = 5;
const SCROLLING_PX = 10; // a finger that goes further scrolls
const HOLD_MS = 500;
const END_PX = { mouse: 6, touch: 14 }; // as in static/css/week_grid.css
const MIDDLE_PX = 12; // what is left between two ends that can be told apart

let hold = null; // what the pointer holds, or is about to: a bar or an empty place, and where it went down

const along = (event) => (areDaysRows() ? event.clientX : event.clientY);
const sides = (element) => {
  const { left, right, top, bottom } = element.getBoundingClientRect();
  return areDaysRows() ? [left, right, top, bottom] : [top, bottom, left, right];
};

// The day under the pointer, or the one nearest to it, and the minute of that day.
function pointAt(event) {
  const across = areDaysRows() ? event.clientY : event.clientX;
  const distance = (lane) => Math.max(sides(lane)[2] - across, across - sides(lane)[3], 0);
  const lane = weekLanes().reduce((best, other) => (distance(other) < distance(best) ? other : best));
  const [start, end] = sides(lane);
  const [first, last] = shownMinutes();
  const minute = clampMinutes(first + ((along(event) - start) / (end - start)) * (last - first), first, last);
  return { day: Number(lane.dataset.day), minute };
}

const snap = (minutes, step) => Math.round(minutes / step) * step;

// Below: where the hours are while the pointer is at a point. What is led to an earlier time of the next day ends there.
const inNight = (start, { day, minute }) => day === dayBeside(start.day, 1) && minute < start.from;

function madeTo(point, step) {
  const { day, minute } = hold.point;
  if (inNight({ day, from: minute }, point)) return { day, from: snap(minute, step), to: Math.max(snap(point.minute, step), step) + MIDNIGHT };
  const from = clampMinutes(Math.floor(Math.min(minute, point.minute) / step) * step, 0, MIDNIGHT - step);
  return { day, from, to: Math.max(Math.ceil(Math.max(minute, point.minute) / step) * step, from + step) };
}

function movedTo({ day, minute }, step) {
  const { was, isRest, offset } = hold;
  const from = clampMinutes(snap(minute + (isRest ? MIDNIGHT : 0) - offset, step), 0, MIDNIGHT - step);
  return { day: isRest ? dayBeside(day, -1) : day, from, to: from + was.to - was.from };
}

function startedAt({ minute }, step) {
  const { was } = hold;
  return { ...was, from: clampMinutes(snap(minute, step), 0, Math.min(was.to, MIDNIGHT) - step) };
}

function endedAt(point, step) {
  const { was } = hold;
  const to = snap(point.minute, step) + (inNight(was, point) ? MIDNIGHT : 0);
  return { ...was, to: Math.max(to, was.from + step) };
}

const PLACE_OF = { make: madeTo, move: movedTo, start: startedAt, end: endedAt };

function gripOf(bar, event) {
  const [start, end] = sides(bar);
  const reach = END_PX[event.pointerType] || END_PX.mouse;
  const isOverMidnight = hoursOfBar(bar).to > MIDNIGHT;
  const isRest = bar.classList.contains("rest");
  if (end - start < 2 * reach + MIDDLE_PX) return "move";
  if (!isRest && along(event) - start <= reach) return "start";
  return (isRest || !isOverMidnight) && end - along(event) <= reach ? "end" : "move";
}

function holdOf(bar, event) {
  const point = pointAt(event);
  const common = { point, pointer: event.pointerId, isTouch: event.pointerType === "touch", x: event.clientX, y: event.clientY };
  if (!bar) return { ...common, grip: "make", was: null };
  const isRest = bar.classList.contains("rest");
  const was = hoursOfBar(bar);
  return { ...common, grip: gripOf(bar, event), was, isRest, offset: point.minute + (isRest ? MIDNIGHT : 0) - was.from };
}

function followPointer(event) {
  leadHours(hold.was, PLACE_OF[hold.grip](pointAt(event), stepOf(event)), { isSpoken: false });
}

function beginDrag(event) {
  hold.isDragging = true;
  document.body.classList.add("dragging-hours");
  followPointer(event);
}

function letGo() {
  clearTimeout(hold?.timer);
  hold = null;
  document.body.classList.remove("dragging-hours");
}

document.addEventListener("pointerdown", (event) => {
  if (!event.target.closest("#week-grid .lane") || event.button || !event.isPrimary) return;
  if (ledHours()) giveUpHours();
  const bar = event.target.closest(".bar");
  hold = holdOf(bar, event);
  if (hold.isTouch) hold.timer = setTimeout(() => beginDrag(event), HOLD_MS);
  if (bar) {
    const button = barOf(hold.was);
    button.focus({ preventScroll: true });
    chooseBar(button);
    event.preventDefault();
  }
});

document.addEventListener("pointermove", (event) => {
  if (hold?.pointer !== event.pointerId) return;
  const distance = Math.hypot(event.clientX - hold.x, event.clientY - hold.y);
  if (hold.isDragging) followPointer(event);
  else if (hold.isTouch && distance > SCROLLING_PX) letGo();
  else if (!hold.isTouch && distance > TREMBLE_PX) beginDrag(event);
});

document.addEventListener("pointerup", (event) => {
  if (hold?.pointer !== event.pointerId) return;
  const wasDragged = hold.isDragging && ledHours();
  letGo();
  if (wasDragged) dropHours();
});

const giveUpDrag = () => {
  if (hold?.isDragging && ledHours()) giveUpHours();
  letGo();
};

document.addEventListener("pointercancel", giveUpDrag);

// Before the key reaches the bar in focus.
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || !hold) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  giveUpDrag();
}, true);

// The browser's menu after a long press, and scrolling while a finger leads hours.
document.addEventListener("contextmenu", (event) => hold?.isTouch && event.preventDefault());
document.addEventListener("touchmove", (event) => hold?.isDragging && event.preventDefault(), { passive: false });

// The grid was drawn anew in the middle of a drag.
document.addEventListener("htmx:oobAfterSwap", () => weekGrid() && letGo());
