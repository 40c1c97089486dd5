// Fila: keys on its rows, and the focus where it was after an act has moved the row.

import { workOff } from "./work_list.js";

const { rows } = workOff(".queue-row", "queue-head");
let place = null; // of the row in focus, of a queue that is about to be replaced
let numbers = ""; // the headings of that queue: how many wait, are with a doctor, are to come
let opened = []; // the rows whose priorities or notes are open in it

const headings = () => [...document.querySelectorAll("#queue h2")].map((heading) => heading.innerText).join(", ");

// What has the focus in a row.
function controlOf({ dataset: { key }, name, value, localName }) {
  if (key) return `[data-key="${key}"]`;
  return name ? `[name="${name}"][value="${value}"]` : localName === "summary" && "summary:not([data-key])";
}

document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  if (detail.target.id !== "queue" || !detail.shouldSwap) return;
  numbers = headings();
  const { elt, verb, path } = detail.requestConfig;
  const row = (verb === "post" ? elt : document.activeElement).closest(".queue-row");
  const part = row?.closest(".queue-part");
  const isRefused = verb === "post" && detail.xhr.status >= 400;
  const isAct = verb === "post" && !isRefused && path.endsWith("/situacao/");
  const at = row && [...part.querySelectorAll(".queue-row")].indexOf(row);
  place = row && { id: row.id, part: part.getAttribute("aria-labelledby"), at, isAct, isRefused };
  if (row && verb === "get") place.control = controlOf(document.activeElement);
  opened = [...detail.target.querySelectorAll("details[open]")].map((details) => details.closest(".queue-row").id);
  if (verb === "post") opened = opened.filter((id) => id !== row?.id);
});

// After an act the row that took its place, so that the next patient is one key away; else the same row.
function rowOf({ id, part, at, isAct }) {
  const same = document.getElementById(id);
  if (same && !isAct) return same;
  const left = [...document.querySelectorAll(`[aria-labelledby="${part}"] .queue-row`)];
  return left[Math.min(at, left.length - 1)] || same || rows()[0];
}

document.addEventListener("htmx:afterSwap", ({ detail }) => {
  if (detail.target.id !== "queue") return;
  const changed = document.getElementById("list-changed");
  if (headings() !== numbers) changed.textContent = `${changed.dataset.updated} ${headings()}`;
  for (const id of opened) document.querySelector(`#${id} details`)?.setAttribute("open", "");
  opened = [];
  if (!place) return;
  const focused = rowOf(place) || document.getElementById("queue-head");
  (place.control && focused.querySelector(place.control) || focused).focus({ preventScroll: true });
  // A colleague may have moved the row to another part: the refusal has to be in sight.
  if (place.isRefused) (document.querySelector("#queue > .message") || focused).scrollIntoView({ block: "nearest" });
  place = null;
});
