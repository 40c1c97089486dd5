// Acts on rows of the queue that are pressed while an answer is due that draws it anew: sent then, as they were pressed.

let pressed = null; // the act that htmx has not sent yet
let underWay = null; // the act that is being answered
let kept = [];

document.addEventListener("submit", ({ target, submitter }) => {
  const row = target.closest(".queue-row");
  const address = submitter?.getAttribute("formaction") || target.getAttribute("action");
  pressed = row && { row: row.id, address, values: Object.fromEntries(new FormData(target, submitter)) };
}, true);

document.addEventListener("htmx:beforeRequest", ({ detail: { requestConfig, target } }) => {
  if (requestConfig.verb !== "post" || target.id !== "queue") return;
  underWay = { address: requestConfig.path, values: Object.fromEntries(requestConfig.formData) };
  pressed = null;
});

// What was sent has the filter's values too.
const isSame = (act, { address, values }) =>
  act?.address === address && Object.entries(values).every(([name, value]) => act.values[name] === value);

// After htmx, which drops it. A second click on the same button is no act.
window.addEventListener("submit", () => {
  if (pressed && ![underWay, ...kept].some((act) => isSame(act, pressed))) kept.push(pressed);
  pressed = null;
});

// The form of a row includes the filter; the row may be gone.
function withFilter(values) {
  const filter = document.getElementById("queue-filter"); // none in a doctor's own day
  const all = filter ? new FormData(filter) : new FormData();
  for (const [name, value] of Object.entries(values)) all.append(name, value);
  return all;
}

function send({ row, address, values }) {
  const queue = document.getElementById("queue");
  const source = queue.querySelector(`#${row} form`) || queue;
  const context = { source, target: queue, swap: "outerHTML settle:0", values: withFilter(values) };
  window.htmx.ajax("POST", address, context).catch(() => {}); // trouble.js offers to try again
}

document.addEventListener("htmx:afterRequest", ({ detail: { requestConfig, target } }) => {
  if (requestConfig.elt.id === "poll" || target.id !== "queue") return;
  underWay = null;
  const next = kept.shift();
  if (next) queueMicrotask(() => send(next)); // after a failure htmx takes no other request before it has ended this one
});
