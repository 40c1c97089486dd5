// The agenda of the day: refreshes without being noticed, outlines the time chosen in the panel, moves the now-line.

const panel = document.getElementById("panel");
const changes = document.getElementById("changes");
const day = () => document.getElementById("day");
const isDay = (element) => element?.id === "day";

// --- refreshing -------------------------------------------------------------------------------------------------------

let before = null;

const keyOf = (element) => (element.id ? `#${CSS.escape(element.id)}` : `a[href="${CSS.escape(element.getAttribute("href") || "")}"]`);

const cards = () => new Map([...day().querySelectorAll(".appt")].map((card) => [card.firstElementChild.id, card.className + card.textContent]));

document.addEventListener("htmx:beforeRequest", (event) => {
  if (event.target.id === "poll" && document.hidden) event.preventDefault();
});

document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  if (!isDay(detail.target) || !detail.shouldSwap) return;
  const scroll = document.getElementById("scroll");
  before = {
    date: day().dataset.date,
    cards: cards(),
    focus: day().contains(document.activeElement) ? keyOf(document.activeElement) : null,
    scroll: scroll && [scroll.scrollLeft, scroll.scrollTop],
    filter: document.getElementById("filter")?.open,
  };
});

document.addEventListener("htmx:afterSwap", ({ detail }) => {
  if (!before || !isDay(detail.target)) return;
  const was = before;
  before = null;
  if (was.filter) document.getElementById("filter")?.setAttribute("open", "");
  if (was.scroll) document.getElementById("scroll")?.scrollTo(...was.scroll);
  if (was.focus) (day().querySelector(was.focus) || document.getElementById("scroll"))?.focus({ preventScroll: true });
  drawn();
  if (was.date === day().dataset.date) announce(was.cards, cards());
});

function announce(old, current) {
  const count = {
    new: [...current.keys()].filter((id) => !old.has(id)).length,
    changed: [...current].filter(([id, text]) => old.has(id) && old.get(id) !== text).length,
    gone: [...old.keys()].filter((id) => !current.has(id)).length,
  };
  const said = Object.entries(count)
    .filter(([, number]) => number)
    .map(([kind, number]) => changes.dataset[`${kind}${number === 1 ? "One" : "Many"}`].replace("#", number));
  if (said.length) changes.textContent = `${changes.dataset.updated}: ${said.join(", ")}`;
}

// Back and forward between days: htmx would fetch the whole page again, and with it go the open form and what is in it.
window.addEventListener("popstate", (event) => {
  event.stopImmediatePropagation();
  const home = document.getElementById("day-today");
  if (!home || !location.pathname.startsWith(home.pathname)) return location.reload();
  const address = location.pathname + location.search;
  window.htmx.ajax("GET", address, { source: document.body, target: "#day", swap: "outerHTML" }).catch(() => {});
});

// --- the chosen time --------------------------------------------------------------------------------------------------

const minutes = (time) => /^\d\d?:\d\d/.test(time) ? Number(time.split(":")[0]) * 60 + Number(time.split(":")[1].slice(0, 2)) : NaN;
const iso = (date) => date.replace(/^(\d\d?)\/(\d\d?)\/(\d{4})$/, (_, d, m, y) => `${y}-${m.padStart(2, "0")}-${d.padStart(2, "0")}`);
const numberIn = (element, prefix) => Number(element.className.match(new RegExp(`\\b${prefix}-(\\d+)`))?.[1]);

const form = () => [...panel.querySelectorAll("form")].find((each) => each.elements.starts && each.elements.date);
const value = (name) => form()?.elements[name]?.value || "";

// What the panel is about is in sight in the day, once; after that nobody's scrolling is disturbed.
let shown = "";

function show(element, about) {
  if (about !== shown) element.scrollIntoView({ block: "nearest", inline: "nearest" });
  shown = about;
}

function outline() {
  day()?.querySelector(".appt > [aria-current]")?.removeAttribute("aria-current");
  const open = document.getElementById(panel.querySelector("[data-card]")?.dataset.card);
  open?.setAttribute("aria-current", "true");
  if (open && !form()) show(open, open.id);
  document.getElementById("chosen")?.remove();
  const grid = day()?.querySelector(".grid");
  const start = minutes(value("starts"));
  if (!grid || !form() || iso(value("date")) !== day().dataset.date || Number.isNaN(start)) return;
  const column = grid.querySelector(`.doctor[data-doctor="${CSS.escape(value("doctor") || form().dataset.doctor || "")}"]`);
  // Labels, not arithmetic: on a day on which clocks change the hours are not 60 minutes apart on paper.
  const hour = [...grid.querySelectorAll(".clock")].findLast((each) => minutes(each.textContent) <= start);
  if (!column || !hour) return;
  const first = numberIn(hour, "from") + Math.floor((start - minutes(hour.textContent)) / 5);
  const end = minutes(value("ends"));
  const length = end > start ? end - start : Number(form().dataset.minutes) || Number(column.dataset.interval);
  const mark = document.createElement("div");
  mark.id = "chosen";
  mark.ariaHidden = "true";
  const last = first + Math.max(Math.ceil(length / 5), 1);
  const number = numberIn(column, "col");
  mark.className = `chosen from-${first} to-${last} col-${number}`;
  // Over somebody's card the outline is enough: two texts on each other are none.
  const covered = [...grid.querySelectorAll(`.appt.col-${number}:not(.back)`)]
    .some((card) => numberIn(card, "from") < last && numberIn(card, "to") > first);
  mark.classList.toggle("over", covered);
  mark.textContent = covered ? "" : `${value("starts").slice(0, 5)} ${day().dataset.freeWord}`;
  grid.append(mark);
  show(mark, mark.className);
}

for (const name of ["input", "change"]) panel.addEventListener(name, outline);
document.addEventListener("htmx:afterSettle", ({ target }) => panel.contains(target) && outline());

// A free time or a card opens in the panel. While a form is open there, a free time goes into it: what is typed stays.
document.addEventListener("click", (event) => {
  const link = event.target.closest(".slot > a, .appt > a");
  if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  if (takeOver(link)) return;
  // A request that fails is trouble.js's to tell.
  window.htmx.ajax("GET", link.getAttribute("href"), { source: link, target: "#panel" }).catch(() => {});
});

function takeOver(link) {
  const open = link.closest(".slot") && form();
  if (!open) return false;
  const query = new URL(link.href).searchParams;
  const { doctor, date, starts } = open.elements;
  if (doctor?.options && ![...doctor.options].some((option) => option.value === query.get("medico"))) return false;
  if (doctor) doctor.value = query.get("medico");
  date.value = date.type === "date" ? query.get("data") : query.get("data").split("-").reverse().join("/");
  starts.value = query.get("inicio");
  for (const field of [doctor, date, starts]) field?.dispatchEvent?.(new Event("change", { bubbles: true }));
  starts.focus?.();
  return true;
}

// --- the clock --------------------------------------------------------------------------------------------------------

let drawnAt = Date.now();
let now = null;

function tick() {
  const passed = Math.floor((Date.now() - drawnAt) / 60000);
  for (const wait of day()?.querySelectorAll("time.badge") || []) {
    wait.textContent = `${Math.max(Math.floor((Date.now() - Date.parse(wait.dateTime)) / 60000), 0)} min`;
  }
  const line = document.getElementById("now");
  if (!line) return;
  const minute = now.minute + passed;
  const row = now.row + Math.floor(((now.minute % 5) + passed) / 5);
  line.className = `now from-${row}`;
  line.hidden = row >= numberIn(day().querySelector(".lane"), "to");
  line.firstElementChild.textContent = [Math.floor(minute / 60) % 24, minute % 60].map((each) => String(each).padStart(2, "0")).join(":");
}

function drawn() {
  drawnAt = Date.now();
  const line = document.getElementById("now");
  now = line && { row: numberIn(line, "from"), minute: minutes(line.textContent) };
  outline();
}

drawn();
setInterval(tick, 15000);

const line = document.getElementById("now");
const scroll = document.getElementById("scroll");
if (line && scroll) scroll.scrollTop = line.offsetTop - scroll.clientHeight / 3;

// --- small things -----------------------------------------------------------------------------------------------------

// Long text ends in an ellipsis: the whole of it under the pointer, from the label that is there already.
document.addEventListener("mouseover", ({ target }) => {
  const link = target.closest?.(".appt > a");
  if (link && !link.title) link.title = link.ariaLabel;
});

// The calendar is the browser's, the date beside it is written as the clinic writes it.
document.addEventListener("click", ({ target }) => {
  if (target.closest("#day-calendar")) document.getElementById("day-native").showPicker();
});

document.addEventListener("change", ({ target }) => {
  if (target.id !== "day-native" || !target.value) return;
  document.getElementById("day-pick").value = target.value.split("-").reverse().join("/");
  window.htmx.trigger(target.form, "picked");
});
