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

const options = () => [...panel.querySelectorAll("#patient-options [role=option]")];

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

function take(option) {
  (option.matches("button") ? option : option.querySelector("button")).click();
}

panel.addEventListener("keydown", (event) => {
  if (event.target.id !== "q" || event.isComposing) return;
  const all = options();
  const at = all.findIndex((option) => option.getAttribute("aria-selected") === "true");
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    if (!all.length) return;
    event.preventDefault();
    mark((at + (event.key === "ArrowDown" ? 1 : all.length - (at < 0 ? 0 : 1))) % all.length);
  } else if (event.key === "Enter") {
    event.preventDefault();
    if (all.length) take(all[Math.max(at, 0)]);
    else takeFirstOnArrival = event.target.value.trim() !== "";
  }
});

// Enter before the answer is there: it means the first one that comes.
let takeFirstOnArrival = false;

document.addEventListener("htmx:afterSettle", ({ target }) => {
  if (target.id !== "patient-options") return;
  const field = panel.querySelector("#q");
  field?.setAttribute("aria-expanded", String(options().length > 0));
  field?.removeAttribute("aria-activedescendant");
  if (takeFirstOnArrival && options().length) take(options()[0]);
  takeFirstOnArrival = false;
});

panel.addEventListener("input", (event) => {
  if (event.target.id === "q") takeFirstOnArrival = false;
});
