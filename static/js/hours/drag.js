// Drags hours in the week's grid: an empty place makes some, the middle of a bar moves it, its ends make it longer or shorter.

import { areDaysRows, barOf, clampMinutes, DAY_MINUTES, dayBeside, hoursOfBar } from "./grid.js";
import { laneOf, listenBesideWeek, shownMinutes, stepOf, weekGrid, weekLanes } from "./grid.js";
import { chooseBar, drop, giveUp, hoursInMotion, moveHours } from "./moving.js";

const TREMBLE_PX = 5;
const SCROLLING_PX = 10; // a finger that goes further scrolls
const HOLD_MS = 500;
const END_PX = { mouse: 6, touch: 14 }; // as in static/css/week_grid.css, where an end is at most a third of its bar too
const SHORTEST_BY_TOUCH = 60; // minutes that a finger makes at least

let hold = null; // what the pointer holds, or is about to: a bar or an empty place, and where it went down

const along = (event) => (areDaysRows() ? event.clientX : event.clientY);
const across = (event) => (areDaysRows() ? event.clientY : event.clientX);
const sides = (element) => {
  const { left, right, top, bottom } = element.getBoundingClientRect();
  return areDaysRows() ? [left, right, top, bottom] : [top, bottom, left, right];
};

// The day under the pointer, or the one nearest to it, and the minute of that day.
function pointAt(event) {
  const distance = (lane) => Math.max(sides(lane)[2] - across(event), across(event) - sides(lane)[3], 0);
  const lane = weekLanes().reduce((best, other) => (distance(other) < distance(best) ? other : best));
  const [start, end] = sides(lane);
  const [first, last] = shownMinutes();
  const minute = clampMinutes(first + ((along(event) - start) / (end - start)) * (last - first), first, last);
  return { day: Number(lane.dataset.day), minute };
}

// Sideways drift is no night: the pointer has to be past the middle of the day after, or to have been at the end of its own.
function reachesDayAfter(event, { day, minute }) {
  const own = hold.was?.day || hold.point.day;
  if (day === own && minute >= shownMinutes()[1]) hold.wasAtEnd = true;
  const [, , near, far] = sides(laneOf(dayBeside(own, 1)));
  return day === dayBeside(own, 1) && (hold.isRest || hold.wasAtEnd || across(event) > (near + far) / 2);
}

const snap = (minutes, step) => Math.round(minutes / step) * step;

// Below: where the hours are while the pointer is at a point. What is dragged to an earlier time of the day after ends there.
const inNight = (from, { minute, isOnDayAfter }) => isOnDayAfter && minute < from;

function madeTo(point, step) {
  const { day, minute } = hold.point;
  const shortest = hold.isTouch ? SHORTEST_BY_TOUCH : step;
  if (inNight(minute, point)) {
    const from = clampMinutes(snap(minute, step), 0, DAY_MINUTES - step);
    return { day, from, to: clampMinutes(snap(point.minute, step) + DAY_MINUTES, DAY_MINUTES + step, from + DAY_MINUTES) };
  }
  const from = clampMinutes(Math.floor(Math.min(minute, point.minute) / step) * step, 0, DAY_MINUTES - shortest);
  return { day, from, to: Math.max(Math.ceil(Math.max(minute, point.minute) / step) * step, from + shortest) };
}

function movedTo({ day, minute }, step) {
  const { was, isRest, offset } = hold;
  const from = clampMinutes(snap(minute + (isRest ? DAY_MINUTES : 0) - offset, step), 0, DAY_MINUTES - step);
  return { day: isRest ? dayBeside(day, -1) : day, from, to: from + was.to - was.from };
}

function startedAt({ minute }, step) {
  const { was } = hold;
  return { ...was, from: clampMinutes(snap(minute, step), Math.max(was.to - DAY_MINUTES, 0), Math.min(was.to, DAY_MINUTES) - step) };
}

function endedAt(point, step) {
  const { was } = hold;
  const to = snap(point.minute, step) + (inNight(was.from, point) ? DAY_MINUTES : 0);
  return { ...was, to: clampMinutes(to, was.from + step, was.from + DAY_MINUTES) };
}

const PLACE_OF = { make: madeTo, move: movedTo, start: startedAt, end: endedAt };

function gripOf(bar, event) {
  const [start, end] = sides(bar);
  const reach = Math.min(END_PX[event.pointerType] || END_PX.mouse, (end - start) / 3);
  const isOverMidnight = hoursOfBar(bar).to > DAY_MINUTES;
  const isRest = bar.classList.contains("rest");
  if (!isRest && along(event) - start <= reach) return "start";
  return (isRest || !isOverMidnight) && end - along(event) <= reach ? "end" : "move";
}

function holdOf(bar, event) {
  const point = pointAt(event);
  const common = { point, pointer: event.pointerId, isTouch: event.pointerType === "touch", x: event.clientX, y: event.clientY };
  if (!bar) return { ...common, grip: "make", was: null };
  const isRest = bar.classList.contains("rest");
  const was = hoursOfBar(bar);
  return { ...common, grip: gripOf(bar, event), was, isRest, offset: point.minute + (isRest ? DAY_MINUTES : 0) - was.from };
}

function followPointer(event) {
  const point = pointAt(event);
  point.isOnDayAfter = reachesDayAfter(event, point);
  moveHours(hold.was, PLACE_OF[hold.grip](point, stepOf(event)), { isSpoken: false });
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

listenBesideWeek("pointerdown", (event) => {
  if (!event.target.closest("#week-grid .lane") || event.button || !event.isPrimary) return;
  if (hoursInMotion()) drop();
  const bar = event.target.closest(".bar");
  if (bar?.matches(".moved, .sent")) return; // without an answer yet
  hold = holdOf(bar, event);
  if (hold.isTouch) hold.timer = setTimeout(() => beginDrag(event), HOLD_MS);
  if (bar) {
    const button = barOf(hold.was);
    button.focus({ preventScroll: true });
    chooseBar(button);
    event.preventDefault();
  }
});

listenBesideWeek("pointermove", (event) => {
  if (hold?.pointer !== event.pointerId) return;
  const distance = Math.hypot(event.clientX - hold.x, event.clientY - hold.y);
  if (hold.isDragging && !hoursInMotion()) letGo(); // a key has removed them, or the form was sent
  else if (hold.isDragging) followPointer(event);
  else if (hold.isTouch && distance > SCROLLING_PX) letGo();
  else if (!hold.isTouch && distance > TREMBLE_PX) beginDrag(event);
});

listenBesideWeek("pointerup", (event) => {
  if (hold?.pointer !== event.pointerId) return;
  const wasDragged = hold.isDragging && hoursInMotion();
  letGo();
  if (wasDragged) drop();
});

const giveUpDrag = () => {
  if (hold?.isDragging && hoursInMotion()) giveUp();
  letGo();
};

listenBesideWeek("pointercancel", giveUpDrag);

// Before the key reaches the bar in focus.
listenBesideWeek("keydown", (event) => {
  if (event.key !== "Escape" || !hold) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  giveUpDrag();
}, true);

// The browser's menu after a long press, and scrolling while a finger moves hours.
listenBesideWeek("contextmenu", (event) => hold?.isTouch && event.preventDefault());
listenBesideWeek("touchmove", (event) => hold?.isDragging && event.preventDefault(), { passive: false });

// The grid was drawn anew in the middle of a drag, perhaps without the bar; after static/js/hours/moving.js has looked.
listenBesideWeek("htmx:oobAfterSwap", () => {
  const isGone = !weekGrid() || (hold?.isDragging ? !hoursInMotion() : hold?.was && !barOf(hold.was));
  if (isGone) letGo();
});
