// Keeps focus, scrolling and the open filter when the day is refreshed, and announces what has changed.

import { seenOf } from "./acts.js";
import { keepOneStop } from "./arrows.js";
import { markChosen } from "./chosen.js";
import { restartClock } from "./clock.js";
import { day, numberIn, panel, periodShown } from "./grid.js";
import { typedName, typeName } from "./narrow.js";

const changes = document.getElementById("changes");
const isDay = (element) => element?.id === "day";

let before = null; // of the day that is about to be replaced

const selectorOf = (element) => (element.id ? `#${CSS.escape(element.id)}` : `a[href="${CSS.escape(element.getAttribute("href") || "")}"]`);

// The cards below in the same column, for the case that the one in focus leaves the page.
function below(element) {
  const card = element.closest(".appt");
  if (!card) return [];
  const row = numberIn(card, "from");
  const column = [...day().querySelectorAll(`.row > .appt.col-${numberIn(card, "col")} > a`)];
  return column.filter((link) => numberIn(link.parentElement, "from") > row).map((link) => `#${link.id}`);
}

const focusable = (selectors) => selectors.map((selector) => day().querySelector(selector)).find(Boolean);

// Reads the open appointment again if its card shows another state.
function refreshPanel() {
  const about = panel.querySelector("#appointment");
  const link = about && document.getElementById(panel.querySelector("[data-card]").dataset.card);
  if (!link || seenOf(link.parentElement) === panel.querySelector("[name=seen]")?.value) return;
  window.htmx.ajax("GET", link.getAttribute("href"), { source: about, target: "#panel" }).catch(() => {});
}

const causes = () => document.querySelector("#day > .causes")?.textContent;

const cards = () => new Map([...day().querySelectorAll(".appt")].map((card) => [card.firstElementChild.id, card.className + card.textContent]));

document.addEventListener("htmx:beforeRequest", (event) => {
  if (event.target.id === "poll" && document.hidden) event.preventDefault();
});

// An act during a refresh is not in its answer, and the day that is being drawn does not listen yet: it is read once more.
const DRAWN_MS = 100; // htmx takes 20 to make a new element listen
let isReading = false;
let isOutdated = false;
let newest = ""; // ETag of the last answer, without the mark of a compressed one

document.addEventListener("htmx:beforeSend", ({ detail }) => { isReading ||= detail.elt.id === "poll"; });

document.body.addEventListener("refresh-day", () => { isOutdated ||= isReading; });

document.addEventListener("htmx:afterRequest", ({ detail }) => {
  if (detail.requestConfig.elt.id !== "poll") return;
  newest = (detail.xhr.getResponseHeader("ETag") || "").replace("W/", "");
  setTimeout(endReading, DRAWN_MS);
});

// The newest answer says more of the version than the page on which it was drawn: with it, the server need not draw the
// day again to see that it is the same.
document.addEventListener("htmx:configRequest", ({ detail: { elt, headers } }) => {
  const drawn = headers["If-None-Match"];
  if (elt.id === "poll" && drawn && newest.startsWith(`${drawn.slice(0, -1)}.`)) headers["If-None-Match"] = newest;
});

function endReading() {
  isReading = false;
  if (isOutdated) window.htmx.trigger(document.body, "refresh-day");
  isOutdated = false;
}

document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  if (!isDay(detail.target) || !detail.shouldSwap) return;
  const scroll = document.getElementById("scroll");
  before = {
    period: periodShown(),
    cards: cards(),
    causes: causes(),
    focus: day().contains(document.activeElement) ? [selectorOf(document.activeElement), ...below(document.activeElement)] : null,
    scroll: scroll && [scroll.scrollLeft, scroll.scrollTop],
    folded: day().querySelector(".cards:popover-open")?.id,
    opened: ["filter", "day-memos"].filter((id) => document.getElementById(id)?.open),
    name: typedName(),
  };
});

document.addEventListener("htmx:afterSwap", ({ detail }) => {
  if (!before || !isDay(detail.target)) return;
  const was = before;
  before = null;
  typeName(was.name);
  for (const id of was.opened) document.getElementById(id)?.setAttribute("open", "");
  if (was.scroll) document.getElementById("scroll")?.scrollTo(...was.scroll);
  keepOneStop();
  document.getElementById(was.folded)?.showPopover();
  if (was.focus) (focusable(was.focus) || document.getElementById("scroll"))?.focus({ preventScroll: true });
  restartClock();
  markChosen();
  if (was.period !== periodShown()) return;
  if (was.causes !== causes()) window.htmx.trigger(document.body, "refresh-number");
  announce(was.cards, cards());
  refreshPanel();
});

function announce(old, current) {
  const count = {
    new: [...current.keys()].filter((id) => !old.has(id)).length,
    changed: [...current].filter(([id, text]) => old.has(id) && old.get(id) !== text).length,
    gone: [...old.keys()].filter((id) => !current.has(id)).length,
  };
  const sentences = Object.entries(count)
    .filter(([, number]) => number)
    .map(([kind, number]) => changes.dataset[`${kind}${number === 1 ? "One" : "Many"}`].replace("#", number));
  if (sentences.length) changes.textContent = `${changes.dataset.updated}: ${sentences.join(", ")}`;
}
