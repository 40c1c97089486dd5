// On every page: the panel beside the page, the keys, messages. Everything here only adds to pages that work without it.

const panel = document.getElementById("panel");
const find = document.getElementById("find");
const keys = document.getElementById("keys");
let opener = null;

// --- requests ---------------------------------------------------------------------------------------------------------

const cookie = (name) => document.cookie.split("; ").find((each) => each.startsWith(`${name}=`))?.slice(name.length + 1);

// Signing in again in another tab renews the token: the cookie has the one that counts, the page may have an old one.
document.addEventListener("htmx:configRequest", ({ detail }) => {
  const token = cookie("csrftoken");
  if (!token) return;
  detail.headers["X-CSRFToken"] = token;
  if (detail.parameters.csrfmiddlewaretoken) detail.parameters.csrfmiddlewaretoken = token;
});

document.addEventListener("submit", ({ target }) => {
  const token = cookie("csrftoken");
  const field = target.elements?.csrfmiddlewaretoken;
  if (token && field) field.value = token;
}, true);

// --- the panel --------------------------------------------------------------------------------------------------------

const isOpen = () => panel.childElementCount > 0;

const touched = (field) =>
  field.type === "checkbox" || field.type === "radio" ? field.checked !== field.defaultChecked
    : field.tagName === "SELECT" ? [...field.options].some((option) => option.selected !== option.defaultSelected) && field.selectedIndex > 0
      : field.type !== "hidden" && "defaultValue" in field && field.value !== field.defaultValue;

// `data-typed` marks a form whose text has been to the server and back: it is its own default there, and still typed.
const hasTypedText = () =>
  panel.querySelector("form[data-typed]") !== null || [...panel.querySelectorAll("input, select, textarea")].some(touched);

// What was typed is never thrown away: closing or replacing the panel leaves a message with the way back.
function keepForm() {
  const nodes = [...panel.childNodes];
  const offer = document.getElementById("panel-closed").content.firstElementChild.cloneNode(true);
  const takenFrom = opener;
  offer.querySelector("[data-reopen]").addEventListener("click", () => {
    opener = takenFrom;
    offer.remove();
    panel.replaceChildren(...nodes);
    panel.dispatchEvent(new Event("change", { bubbles: true }));
    focusPanel();
  });
  document.querySelectorAll("#messages .reopen").forEach((old) => old.remove());
  document.getElementById("messages").append(offer);
}

function closePanel() {
  if (hasTypedText()) keepForm();
  const card = panel.querySelector("[data-card]")?.dataset.card;
  panel.replaceChildren();
  panel.dispatchEvent(new Event("change", { bubbles: true }));
  // The opener may have been drawn anew meanwhile, or be a free time that the card stands on now.
  const again = opener?.isConnected ? opener : opener && (document.getElementById(opener.id) || sameLink(opener));
  (again || document.getElementById(card) || document.getElementById("main")).focus();
  opener = null;
}

const sameLink = (link) =>
  link.getAttribute("href") && document.querySelector(`a[href="${CSS.escape(link.getAttribute("href"))}"]`);

function focusPanel() {
  if (panel.contains(document.activeElement)) return;
  const field = panel.querySelector("[autofocus]") || panel.querySelector("#panel-title");
  if (!field) panel.tabIndex = -1;
  (field || panel).focus();
}

// Leaving the page with text that is nowhere else: the browser asks first. Not when the server has just kept it.
let kept = false;

window.addEventListener("beforeunload", (event) => {
  if (hasTypedText() && !kept) event.preventDefault();
});

document.addEventListener("htmx:beforeOnLoad", ({ detail }) => {
  // When it leads to signing in from anything but a sent form, trouble.js stays here; the next answer takes this back.
  kept = Boolean(detail.xhr.getResponseHeader("HX-Redirect"));
});

let typedIn = null;

document.addEventListener("htmx:beforeRequest", ({ detail }) => {
  const form = detail.elt.closest("#panel form");
  if (form && hasTypedText()) form.dataset.typed = "";
});

document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  if (detail.target !== panel || !detail.shouldSwap) return;
  const asker = detail.requestConfig.elt;
  const inside = panel.contains(asker);
  typedIn = inside ? panel.querySelector("form[data-typed]")?.getAttribute("action") : null;
  // Going back from a form leaves it as much as opening something else does; sending it does not.
  if ((!inside || detail.requestConfig.verb === "get") && hasTypedText()) keepForm();
  if (!inside) opener = asker;
});

document.addEventListener("htmx:afterSwap", ({ detail }) => {
  if (detail.target !== panel || !typedIn) return;
  const form = [...panel.querySelectorAll("form")].find((each) => each.getAttribute("action") === typedIn);
  if (form) form.dataset.typed = "";
});

document.addEventListener("htmx:afterSettle", ({ target, detail }) => {
  if (target === panel && !panel.contains(detail.requestConfig.elt)) focusPanel();
});

document.addEventListener("click", (event) => {
  const dismiss = event.target.closest("[data-dismiss]");
  if (dismiss) dismiss.closest(".message").remove();
  const close = event.target.closest("#panel [data-close]");
  if (close && document.getElementById("day")) {
    event.preventDefault();
    closePanel();
  }
});

// --- keys -------------------------------------------------------------------------------------------------------------

const single = document.getElementById("keys-single");
if (single) {
  single.checked = localStorage.getItem("keys") !== "off";
  single.addEventListener("change", () => localStorage.setItem("keys", single.checked ? "on" : "off"));
}

const press = (id) => () => document.getElementById(id)?.click();

const acts = {
  "/": () => (panel.querySelector("input[type=search]") || find)?.focus(),
  "[": press("day-previous"),
  "]": press("day-next"),
  h: press("day-today"),
  n: press("day-book"),
  "?": () => keys?.showModal(),
};

function escape() {
  const details = document.activeElement.closest("details[open]") || document.querySelector("details.filter[open]");
  if (details && !panel.contains(details)) {
    details.open = false;
    details.querySelector("summary").focus();
  } else if (isOpen() && document.getElementById("day")) {
    closePanel();
  }
}

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (document.querySelector("dialog[open]")) return;
  if (event.key === "Escape") return escape();
  const typing = event.target.closest("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]");
  if (typing || (single && !single.checked && event.key !== "?")) return;
  const act = acts[event.key];
  if (!act) return;
  event.preventDefault();
  act();
});

document.addEventListener("click", ({ target }) => {
  const open = document.querySelector("details.filter[open]");
  if (open && !open.contains(target) && target.isConnected) open.open = false;
});
