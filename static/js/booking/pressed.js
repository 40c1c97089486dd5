// Presses a button of the form that was pressed while an answer was due once that answer is there.

// The answer may replace the button, and htmx reads which one was pressed only when it sends the form: it would leave it
// out, or send another.

import { panel } from "../day/grid.js";

let pressed = null;

const isAnswerDue = () => panel.querySelector("#booking.htmx-request, #booking .htmx-request:not(#q)") !== null;
const actionOf = (form) => form.getAttribute("action");
const linesIn = (form) => form.querySelectorAll("#booking-lines .line").length;

panel.addEventListener("click", (event) => {
  const button = event.target.closest("#booking button[formaction]");
  if (!button || !isAnswerDue()) return;
  event.preventDefault();
  pressed = { name: button.name, value: button.value, lines: linesIn(button.form), action: actionOf(button.form) };
}, true);

// The same choice, if its form is still there and offers it: a line's number means another line when there are more or fewer.
function buttonNow({ name, value, lines, action }) {
  const form = panel.querySelector("#booking");
  if (!form || actionOf(form) !== action || (name === "remove" && linesIn(form) !== lines)) return null;
  return [...form.querySelectorAll(`button[formaction][name="${CSS.escape(name)}"]`)].find((button) => button.value === value);
}

document.addEventListener("htmx:afterSettle", () => {
  if (!pressed || isAnswerDue()) return;
  const button = buttonNow(pressed);
  pressed = null;
  button?.click();
});

// An answer that never came, failed or is not waited for any more. A refusal is an answer: it shows the form again.
document.addEventListener("htmx:afterRequest", ({ detail }) => {
  const isShown = detail.xhr.status > 0 && detail.xhr.status < 500;
  if (!isShown && !isAnswerDue()) pressed = null;
});

// A panel that is closed says so by an event of its own.
panel.addEventListener("change", () => {
  if (!panel.childElementCount) pressed = null;
});
