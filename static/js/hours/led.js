// Hours that are led to another place, or new ones, until they are dropped there: the server writes them into the text.

import { areSameHours, barOf, drawLed, removeLed, sayOfWeek, shownMinutes, spokenHours, weekField, weekGrid, weekRead, wordsOf } from "./grid.js";

let led = null; // what the hours were, null for new ones; where they are now; and what waits to drop them
const textsBefore = []; // what stood in the field before each drag

export const ledHours = () => led;
export const wholeDay = () => weekRead().classList.contains("whole");

export function showWholeDay(isWhole) {
  weekRead().classList.toggle("whole", isWhole);
  actButton("whole").ariaPressed = String(isWhole);
}

const actButton = (act) => document.querySelector(`[data-week-act="${act}"]`);

// The bar that Delete and the button remove.
export const chosenBar = () => weekGrid()?.querySelector("button.bar.chosen");

export function chooseBar(bar) {
  chosenBar()?.classList.remove("chosen");
  bar?.classList.add("chosen");
  actButton("remove").disabled = !bar;
}

function showTools() {
  for (const button of weekGrid()?.querySelectorAll("button") || []) button.disabled = false;
  document.getElementById("week-tools").hidden = false;
  actButton("whole").hidden = weekGrid()?.classList.contains("whole") || false;
  actButton("back").disabled = textsBefore.length === 0;
  chooseBar(null);
}

export function leadHours(was, at, { isSpoken }) {
  clearTimeout(led?.timer);
  led = { was, at };
  const [first, last] = shownMinutes();
  if (isSpoken && (at.from < first || at.to > last)) showWholeDay(true);
  drawLed(was, at);
  if (isSpoken) sayOfWeek(spokenHours(at));
  return led;
}

export function giveUpHours() {
  clearTimeout(led.timer);
  led = null;
  removeLed();
  sayOfWeek(weekRead().dataset.givenUp);
}

export async function dropHours() {
  const { was, at, timer } = led;
  clearTimeout(timer);
  led = null;
  if (areSameHours(was, at)) removeLed();
  else await sendHours(was, at);
}

// Lets the server write what some hours became into the text; null for new ones, and for none.
export async function sendHours(was, becomes) {
  const [before, text, focused] = [weekGrid(), weekField().value, document.activeElement];
  const values = { week: text, was: wordsOf(was), becomes: wordsOf(becomes) };
  await window.htmx.ajax("POST", weekRead().dataset.drag, { source: before, target: before, swap: "none", values }).catch(() => {});
  const written = weekGrid()?.dataset.written;
  if (weekGrid() === before || written === undefined) return lose();
  if (written !== text) {
    textsBefore.push(text);
    weekField().value = written;
  }
  showTools();
  // Where the focus was is drawn anew; who has gone elsewhere stays there.
  const bar = barOf(becomes) || barOf(was);
  if ([document.body, focused].includes(document.activeElement)) (bar || actButton("back")).focus({ preventScroll: true });
  return undefined;
}

function lose() {
  removeLed();
  sayOfWeek(weekRead().dataset.lost);
}

// Brings back the text from before the last drag; it is read as if it were typed.
export function goBack() {
  if (!textsBefore.length) return;
  const text = textsBefore.pop();
  weekField().value = text;
  window.htmx.trigger(weekRead(), "back");
}

if (weekRead()) {
  showTools();
  // What is typed after a drag begins anew: the browser's own undo is for it.
  weekField().addEventListener("input", () => {
    textsBefore.length = 0;
    actButton("back").disabled = true;
  });
}

document.addEventListener("htmx:oobAfterSwap", ({ detail }) => {
  if (detail.target.id !== "week-days") return;
  led = null;
  showTools();
});
