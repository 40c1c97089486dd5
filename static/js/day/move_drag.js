// Moves an appointment by a pointer, or its end by its lower edge: by mouse or pen at once, by a finger after a long press.

import { openPage } from "./acts.js";
import { day, isList, minuteAt, numberIn } from "./grid.js";
import { beginMove, dropMove, giveUpMove, leadTo, moveUnderWay, stretchTo } from "./move.js";
import { freeMinutes, rowsOf } from "./move_places.js";

const START_PX = 5; // a click may tremble
const SLIP_PX = 10; // a finger that goes further scrolls
const PRESS_MS = 500;
const NEAR_MINUTES = 7; // a free time so near is meant
const EDGE_PX = 48;
const SCROLL_PX = 12;
const LOWER_EDGE_PX = 6; // as in static/css/day/move.css
const LEAST_HEIGHT_PX = 20; // of a card whose edge can be distinguished from its middle

let grip = null; // the card that is held, or about to be: where the pointer went down, and how far below its edge
let isDragging = false;
let isClickToIgnore = false;

function release() {
  clearTimeout(grip?.timer);
  grip = null;
  isDragging = false;
  document.body.classList.remove("dragging");
}

function startDragging() {
  isDragging = true;
  document.body.classList.add("dragging");
  beginMove(grip.card, { isSpoken: false, isResized: grip.isEdge });
  if (!moveUnderWay()) release();
}

function longPress() {
  if (!isList()) return startDragging();
  isClickToIgnore = true;
  openPage(grip.card, "remarcar");
  return release();
}

// The card may have been drawn anew since.
const isLost = () => isDragging && !moveUnderWay();

function columnAt(x) {
  const lanes = [...day().querySelectorAll(".lane")];
  return lanes.find((lane) => lane.getBoundingClientRect().left <= x && x < lane.getBoundingClientRect().right);
}

const isInSight = ({ clientX, clientY }) => {
  const { top, bottom, left, right } = document.getElementById("scroll").getBoundingClientRect();
  return clientY >= top && clientY <= bottom && clientX >= left && clientX <= right;
};

function rowUnder(lane, y) {
  const { top, height } = lane.getBoundingClientRect();
  const rows = numberIn(lane, "to");
  return Math.min(Math.max(Math.round(((y - top) / height) * rows), 0), rows);
}

// The place under the pointer, a free time if one is near.
function placeUnder(lane, y) {
  const minute = minuteAt(Math.min(rowUnder(lane, y - grip.below), numberIn(lane, "to") - 1));
  const column = numberIn(lane, "col");
  const { at, from } = moveUnderWay();
  const own = column === from.column ? [from.minute] : [];
  const near = [...freeMinutes(column), ...own].filter((free) => Math.abs(free - minute) <= NEAR_MINUTES);
  near.sort((one, other) => Math.abs(one - minute) - Math.abs(other - minute));
  return { ...at, column, minute: near.length ? near[0] : minute };
}

// Follows the pointer; false outside the grid.
function follow(event) {
  const lane = columnAt(event.clientX);
  if (!lane || !isInSight(event)) return false;
  const { from } = moveUnderWay();
  if (grip.isEdge) stretchTo((rowUnder(lane, event.clientY) - rowsOf(from)[0]) * 5, { isSpoken: false });
  else leadTo(placeUnder(lane, event.clientY), { isSpoken: false });
  return true;
}

function scrollAtEdge({ clientX, clientY }) {
  const scroll = document.getElementById("scroll");
  const { top, bottom, left, right } = scroll.getBoundingClientRect();
  const head = scroll.querySelector(".head > *").offsetHeight;
  const by = (position, start, end) => (position < start + EDGE_PX ? -SCROLL_PX : position > end - EDGE_PX ? SCROLL_PX : 0);
  scroll.scrollBy(by(clientX, left, right), by(clientY, top + head, bottom));
}

document.addEventListener("pointerdown", (event) => {
  const card = event.target.closest(".row > .appt");
  isClickToIgnore = false;
  if (!card || event.button || !event.isPrimary || event.target.closest(".act") || moveUnderWay()) return;
  const isTouch = event.pointerType === "touch";
  if (isList() && !isTouch) return;
  const { top, bottom, height } = card.getBoundingClientRect();
  const isEdge = !isTouch && height >= LEAST_HEIGHT_PX && bottom - event.clientY <= LOWER_EDGE_PX;
  grip = { card, isTouch, isEdge, below: event.clientY - top, x: event.clientX, y: event.clientY };
  if (isTouch) grip.timer = setTimeout(longPress, PRESS_MS);
});

document.addEventListener("pointermove", (event) => {
  if (!grip || !event.isPrimary) return;
  if (isLost()) return release();
  const distance = Math.hypot(event.clientX - grip.x, event.clientY - grip.y);
  if (!isDragging && grip.isTouch && distance > SLIP_PX) return release();
  if (!isDragging && !grip.isTouch && distance > START_PX) startDragging();
  if (!isDragging) return undefined;
  scrollAtEdge(event);
  follow(event);
  return undefined;
});

document.addEventListener("pointerup", (event) => {
  if (!grip || !event.isPrimary) return;
  const wasDragged = isDragging && !isLost();
  isClickToIgnore = isDragging;
  const isInGrid = wasDragged && follow(event);
  release();
  if (isInGrid) dropMove();
  else if (wasDragged) giveUpMove();
});

document.addEventListener("pointercancel", () => {
  if (isDragging && !isLost()) giveUpMove();
  release();
});

// The click that ends a drag opens nothing; one by the keyboard has no detail.
document.addEventListener("click", (event) => {
  if (!isClickToIgnore || !event.detail || !event.target.closest(".appt, .slot")) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  isClickToIgnore = false;
}, true);

// The browser's own dragging of links, its menu after a long press, and scrolling while a finger leads a card.
document.addEventListener("dragstart", (event) => event.target.closest?.(".appt") && event.preventDefault());
document.addEventListener("contextmenu", (event) => grip?.isTouch && event.preventDefault());
document.addEventListener("touchmove", (event) => isDragging && event.preventDefault(), { passive: false });

// The day is not drawn anew under a finger.
document.addEventListener("htmx:beforeRequest", (event) => {
  if (event.target.id === "poll" && isDragging) event.preventDefault();
});
