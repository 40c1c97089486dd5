// Hours that are moved to another place, or new ones, until they are dropped there: the server writes them into the text.

import { areSameHours, barOf, drawOutlines, freeHoursOf, hoursOfBar, listenBesideWeek } from "./grid.js";
import { shownMinutes, spokenHours, weekField, weekGrid, weekRead, wordsOf } from "./grid.js";

let moving = null; // what the hours were, null for new ones; where they are now; and what waits to drop them
let sent = []; // the changes without an answer yet, in their order
let sending = Promise.resolve(); // until the last of them has its answer
let textWritten = null; // the last that a drag or going back wrote into the field
let isDrawnAnew = false;
let isFormWaiting = false;
const textsBefore = []; // what stood in the field before each drag
const textsSent = new WeakMap(); // by request

export const hoursInMotion = () => moving;
export const wholeDay = () => weekRead().classList.contains("whole");

export function showWholeDay(isWhole) {
  weekRead().classList.toggle("whole", isWhole);
  actButton("whole").ariaPressed = String(isWhole);
}

const weekTools = () => document.getElementById("week-tools");
const actButton = (act) => document.querySelector(`[data-week-act="${act}"]`);
const sayOfWeek = (sentence) => { document.getElementById("week-moving").textContent = sentence; };
const warnOfWeek = (sentence) => { document.getElementById("week-wrong").textContent = sentence; };

// The bar that Delete and the button remove.
export const chosenBar = () => weekGrid()?.querySelector("button.bar.chosen");

export function chooseBar(bar) {
  chosenBar()?.classList.remove("chosen");
  bar?.classList.add("chosen");
  actButton("remove").disabled = !bar;
}

function showTools() {
  for (const button of weekGrid()?.querySelectorAll("button") || []) {
    const day = button.dataset.weekAdd;
    button.disabled = Boolean(day) && !freeHoursOf(Number(day));
  }
  weekTools().hidden = false;
  actButton("whole").hidden = weekGrid()?.dataset.night !== undefined;
  showBack();
  chooseBar(null);
}

function showBack() {
  const button = actButton("back");
  // A button that is disabled loses the focus.
  if (!textsBefore.length && document.activeElement === button) document.getElementById("week-summary").focus({ preventScroll: true });
  button.disabled = !textsBefore.length;
}

const draw = () => drawOutlines([...sent, ...(moving ? [moving] : [])]);

function forget() {
  clearTimeout(moving?.timer);
  moving = null;
}

export function moveHours(was, at, { isSpoken }) {
  forget();
  moving = { was, at };
  const [first, last] = shownMinutes();
  if (isSpoken && (at.from < first || at.to > last)) showWholeDay(true);
  draw();
  if (isSpoken) sayOfWeek(spokenHours(at));
}

export const dropAfter = (pause) => { moving.timer = setTimeout(drop, pause); };

export function giveUp() {
  forget();
  draw();
  sayOfWeek(weekRead().dataset.givenUp);
}

export function drop() {
  const { was, at } = moving;
  forget();
  if (areSameHours(was, at)) draw();
  else sendHours(was, at);
}

// What a bar's hours are once everything that was sent is written; null if they are removed.
export const presentHours = (bar) => sent.reduce(
  (hours, change) => (hours && areSameHours(change.was, hours) ? change.at : hours), hoursOfBar(bar),
);

// Lets the server write what some hours became into the text, after the changes before; null for new ones, and for none.
export function sendHours(was, at) {
  forget();
  const change = { was, at, isSent: true, focused: document.activeElement };
  sent.push(change);
  draw();
  warnOfWeek("");
  sending = sending.then(() => write(change));
  change.isWritten = sending;
}

// Whether the hours were written. Over what was typed meanwhile nothing is: the change is sent again with that.
async function write(change) {
  let outcome = "stale";
  while (outcome === "stale") outcome = await outcomeOf(change);
  sent = sent.filter((other) => other !== change);
  draw();
  if (weekRead().dataset[outcome]) warnOfWeek(weekRead().dataset[outcome]);
  // Where the focus was is drawn anew; who has gone elsewhere stays there.
  if ([document.body, change.focused].includes(document.activeElement)) {
    (barOf(change.at) || barOf(change.was) || actButton("back")).focus({ preventScroll: true });
  }
  return outcome === "written";
}

// One of stale, lost, failed, mistake, refused and written; elsewhere if the page says something else about it.
async function outcomeOf({ was, at }) {
  const values = { week: weekField().value, was: wordsOf(was), becomes: wordsOf(at) };
  const source = weekTools();
  let answer = null;
  source.addEventListener("htmx:beforeSend", ({ detail }) => { answer = detail.xhr; }, { once: true });
  await window.htmx.ajax("POST", weekRead().dataset.drag, { source, target: source, swap: "none", values }).catch(() => {});
  if (!answer?.status) return "lost";
  if (answer.getResponseHeader("HX-Redirect") || answer.getResponseHeader("X-Present-User")) return "elsewhere";
  if (answer.status >= 400) return "failed";
  if (textsSent.has(answer)) return "stale";
  if (!weekGrid()) return "mistake";
  return weekGrid().querySelector(".wrong") ? "refused" : "written";
}

function writeText(text) {
  weekField().value = text;
  textWritten = text;
}

// Brings back the text from before the last drag; it is read as if it were typed. What was typed since can be brought back too.
export function goBack() {
  if (moving) drop();
  sending = sending.then(() => {
    if (!textsBefore.length) return;
    const text = textsBefore.pop();
    if (weekField().value !== textWritten) textsBefore.push(weekField().value);
    writeText(text);
    showBack();
    window.htmx.trigger(weekRead(), "back");
  });
}

const isInGrid = (hours) => !hours || barOf(hours) || sent.some(({ at }) => areSameHours(at, hours));

function takeGridOver() {
  const text = weekGrid()?.dataset.written;
  if (text !== undefined && text !== weekField().value) {
    textsBefore.push(weekField().value);
    writeText(text);
  }
  if (text === undefined) warnOfWeek(""); // typing was answered
  showTools();
  if (moving && !(weekGrid() && isInGrid(moving.was))) giveUp();
  draw();
}

// The form is sent with what the hours in motion become; not if that could not be written, which the page then says.
async function sendFormAfter(form, submitter) {
  isFormWaiting = true;
  if (moving) drop();
  const areWritten = await Promise.all(sent.map(({ isWritten }) => isWritten));
  isFormWaiting = false;
  if (areWritten.every(Boolean)) form.requestSubmit(submitter);
}

listenBesideWeek("submit", (event) => {
  if (event.target !== weekField().form || !(moving || sent.length)) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  if (!isFormWaiting) sendFormAfter(event.target, event.submitter);
}, true);

// An answer to a text that is no longer in the field is not shown.
listenBesideWeek("htmx:beforeSend", ({ detail: { elt, xhr } }) => {
  if (weekRead().contains(elt)) textsSent.set(xhr, weekField().value);
});

listenBesideWeek("htmx:beforeSwap", ({ detail }) => {
  if (!textsSent.has(detail.xhr)) return;
  if (textsSent.get(detail.xhr) === weekField().value) textsSent.delete(detail.xhr);
  else detail.shouldSwap = false;
});

listenBesideWeek("htmx:oobBeforeSwap", ({ detail }) => { isDrawnAnew = detail.target.id === "week-days"; });

listenBesideWeek("htmx:oobAfterSwap", ({ detail }) => {
  if (detail.target.id !== "week-days") return;
  isDrawnAnew = false;
  takeGridOver();
});

// Going elsewhere drops what keys have moved.
listenBesideWeek("focusout", ({ target }) => {
  if (isDrawnAnew || !moving?.timer || !target.matches?.("#week-grid button.bar")) return;
  if (areSameHours(moving.was, presentHours(target))) drop();
});

if (weekRead()) {
  showTools();
  // The page has sentences of its own about this request; to repeat it the hours are moved once more.
  for (const type of ["htmx:sendError", "htmx:timeout", "htmx:responseError"]) {
    weekTools().addEventListener(type, (event) => event.stopPropagation());
  }
}
