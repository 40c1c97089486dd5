// The booking panel: choosing a patient with the keyboard, and what hangs on the server's answer to a field that was left.

const panel = document.getElementById("panel");

// --- complaints -------------------------------------------------------------------------------------------------------

function markInvalid() {
  for (const error of panel.querySelectorAll(".error[id]")) {
    const field = panel.querySelector(`[aria-describedby~="${error.id}"]`);
    if (!field) continue;
    if (error.textContent.trim()) field.setAttribute("aria-invalid", "true");
    else field.removeAttribute("aria-invalid");
  }
}

document.addEventListener("htmx:afterRequest", () => {
  markInvalid();
  const form = panel.querySelector("#booking");
  const times = form?.querySelector("#booking-times");
  if (!times) return;
  if (form.elements.ends) form.elements.ends.placeholder = times.dataset.ends;
  if (form.dataset.minutes === times.dataset.minutes) return;
  form.dataset.minutes = times.dataset.minutes;
  panel.dispatchEvent(new Event("change"));
});

// The end that follows a moved start must not take away what is being typed there by now.
let sentEnd = "";

document.addEventListener("htmx:beforeRequest", () => {
  sentEnd = panel.querySelector("#ends")?.value;
});

document.addEventListener("htmx:oobBeforeSwap", ({ detail }) => {
  if (detail.target.id === "ends" && detail.target.value !== sentEnd) detail.shouldSwap = false;
});

// The button that was pressed is often gone now; whoever is typing elsewhere already stays there.
document.addEventListener("panel-focus", ({ detail }) => {
  const lost = document.activeElement === document.body || document.activeElement.matches("#panel button");
  const field = lost && document.getElementById(detail.id);
  if (!field) return;
  field.closest("details")?.setAttribute("open", "");
  field.focus();
});

// A refused time: the free ones must be in sight, even in a low window.
document.addEventListener("htmx:afterSettle", ({ target }) => {
  if (target === panel) panel.querySelector("#booking-times[data-alternatives]")?.scrollIntoView({ block: "nearest" });
});

// --- the patient: arrows choose, Enter takes ---------------------------------------------------------------------------

// A list belongs to the text that it answers: under any other text nobody in it can be marked or taken by a key.

const list = () => panel.querySelector("#patient-options");
const options = () => [...panel.querySelectorAll("#patient-options [role=option]")];
const answers = (field) => list()?.dataset.text === field.value;

// Enter came before the answer: it is heeded when the answer to this very text is there.
let waiting = false;
// The search for this text brought no list: nothing is under way, so that the next Enter asks once more.
let failed = false;

function mark(index) {
  const field = panel.querySelector("#q");
  options().forEach((option, at) => option.setAttribute("aria-selected", at === index));
  const marked = options()[index];
  if (marked) {
    field.setAttribute("aria-activedescendant", marked.id);
    marked.scrollIntoView({ block: "nearest" });
  } else {
    field.removeAttribute("aria-activedescendant");
  }
}

// The marked one; else the only owner of a whole number, or the only one found; with nobody found, registering. Of
// several people none: who is meant is for a person to say.
function meant() {
  const all = options();
  const marked = all.find((option) => option.getAttribute("aria-selected") === "true");
  if (marked) return marked;
  const people = all.filter((option) => option.name === "pick");
  const owners = people.filter((option) => "exact" in option.dataset);
  const possible = owners.length || "whole" in list().dataset ? owners : people;
  return possible.length > 1 ? null : possible[0] || all.find((option) => option.name === "new");
}

function say(text) {
  const hint = panel.querySelector("#q-hint");
  if (hint) hint.textContent = text;
}

function takeMeant() {
  const option = meant();
  if (option) option.click();
  else say(panel.querySelector("#q-hint").dataset.several);
}

panel.addEventListener("keydown", (event) => {
  const field = event.target;
  if (field.id !== "q" || event.isComposing) return;
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    event.preventDefault();
    const all = options();
    if (!all.length || !answers(field)) return;
    const at = all.findIndex((option) => option.getAttribute("aria-selected") === "true");
    mark((at + (event.key === "ArrowDown" ? 1 : all.length - (at < 0 ? 0 : 1))) % all.length);
  } else if (event.key === "Enter") {
    event.preventDefault();
    if (!field.value.trim()) return;
    if (answers(field)) return takeMeant();
    waiting = true;
    if (failed) htmx.trigger(field, "ask");
    failed = false;
  }
});

document.addEventListener("htmx:afterSettle", ({ target }) => {
  if (target.id !== "patient-options") return;
  const field = panel.querySelector("#q");
  if (!field) return;
  field.setAttribute("aria-expanded", String(options().length > 0));
  field.removeAttribute("aria-activedescendant");
  if (!waiting || !answers(field)) return;
  waiting = false;
  takeMeant();
});

document.addEventListener("htmx:afterRequest", ({ detail }) => {
  const field = panel.querySelector("#q");
  const { elt, parameters } = detail.requestConfig;
  if (!field || elt !== field || parameters.q !== field.value || answers(field)) return;
  waiting = false;
  failed = true;
});

panel.addEventListener("input", (event) => {
  if (event.target.id !== "q") return;
  waiting = failed = false;
  mark(-1);
  say("");
});
