// Moves an appointment by a pointer: by mouse or pen at once, by a finger after a long press; before that a finger scrolls.

import { openPage } from "./acts.js";
import { day, isList, minuteAt, numberIn } from "./grid.js";
import { beginMove, dropMove, giveUpMove, leadTo, moveUnderWay } from "./move.js";
import { freeMinutes } from "./move_places.js";

const START_PX = 5; // a click may tremble
const SLIP_PX = 10; // a finger that goes further scrolls
const PRESS_MS = 500;
const NEAR_MINUTES = 7; // a free time so near is meant
const EDGE_PX = 48;
const SCROLL_PX = 12;

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
  beginMove(grip.card, { isSpoken: false });
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

// The place under the pointer, a free time if one is near; null outside the grid.
function placeUnder({ clientX, clientY }) {
  const lane = columnAt(clientX);
  const frame = document.getElementById("scroll").getBoundingClientRect();
  if (!lane || clientY < frame.top || clientY > frame.bottom || clientX < frame.left || clientX > frame.right) return null;
  const { top, height } = lane.getBoundingClientRect();
  const rows = numberIn(lane, "to");
  const row = Math.round(((clientY - grip.below - top) / height) * rows);
  const minute = minuteAt(Math.min(Math.max(row, 0), rows - 1));
  const column = numberIn(lane, "col");
  const { at, from } = moveUnderWay();
  const own = column === from.column ? [from.minute] : [];
  const near = [...freeMinutes(column), ...own].filter((free) => Math.abs(free - minute) <= NEAR_MINUTES);
  near.sort((one, other) => Math.abs(one - minute) - Math.abs(other - minute));
  return { ...at, column, minute: near.length ? near[0] : minute };
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
  const below = event.clientY - card.getBoundingClientRect().top;
  grip = { card, isTouch, below, x: event.clientX, y: event.clientY };
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
  const place = placeUnder(event);
  if (place) leadTo(place, { isSpoken: false });
  return undefined;
});

document.addEventListener("pointerup", (event) => {
  if (!grip || !event.isPrimary) return;
  const wasDragged = isDragging && !isLost();
  isClickToIgnore = isDragging;
  const place = wasDragged && placeUnder(event);
  release();
  if (wasDragged && place) dropMove();
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
