// Blurs the names on the page, so that a patient at the counter reads no other's; for this tab until it is pressed again.

const BLUR = "blur"; // in this tab
const OWN_TITLE = document.title; // "Ana Souza · Clínica Sol": of it only the clinic stays

// Titles that may name people: all but those of icons, bars and abbreviations, and of free times.
const NAMING = '[title]:not([title=""], .act, .away, .button, .slot > a, abbr, meter)';

const isBlurred = () => sessionStorage.getItem(BLUR) === "on";

function followBlur() {
  document.documentElement.toggleAttribute("data-blur", isBlurred());
  document.getElementById("blur")?.setAttribute("aria-pressed", isBlurred());
  document.title = isBlurred() ? OWN_TITLE.split(" · ").at(-1) : OWN_TITLE;
  if (isBlurred()) return;
  for (const element of document.querySelectorAll("[data-tooltip]")) {
    element.title ||= element.dataset.tooltip; // another script may have written one meanwhile
    delete element.dataset.tooltip;
  }
}

function takeTooltip(element) {
  element.dataset.tooltip = element.title;
  element.removeAttribute("title");
}

followBlur();
document.addEventListener("click", ({ target }) => {
  if (!target.closest("#blur")) return;
  sessionStorage.setItem(BLUR, isBlurred() ? "off" : "on");
  followBlur();
});

// A tooltip shows the whole of a card's text. On the window, after the scripts of a page that write one under the pointer.
window.addEventListener("mouseover", ({ target }) => {
  if (!isBlurred()) return;
  for (let element = target.closest?.(NAMING); element; element = element.closest(NAMING)) takeTooltip(element);
});
