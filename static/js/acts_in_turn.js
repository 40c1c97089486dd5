// Acts on rows of the queue that are pressed while an answer is due that draws it anew: sent then, as they were pressed.

let pressed = null; // the act that htmx has not sent yet
let rowUnderWay = ""; // whose act is being answered
let kept = [];

document.addEventListener("submit", ({ target, submitter }) => {
  const row = target.closest(".queue-row");
  const address = submitter?.getAttribute("formaction") || target.getAttribute("action");
  pressed = row && { row: row.id, address, values: Object.fromEntries(new FormData(target, submitter)) };
}, true);

document.addEventListener("htmx:beforeRequest", ({ detail: { requestConfig } }) => {
  const row = requestConfig.verb === "post" && requestConfig.elt.closest(".queue-row");
  if (!row) return;
  rowUnderWay = row.id;
  pressed = null;
});

// After htmx, which drops it. A second click on the same row is no act.
window.addEventListener("submit", () => {
  const isFirst = pressed && ![rowUnderWay, ...kept.map(({ row }) => row)].includes(pressed.row);
  if (isFirst) kept.push(pressed);
  pressed = null;
});

function send({ row, address, values }) {
  const queue = document.getElementById("queue");
  const source = queue.querySelector(`#${row} form`) || queue;
  window.htmx.ajax("POST", address, { source, target: queue, swap: "outerHTML settle:0", values }).catch(() => {});
}

document.addEventListener("htmx:afterRequest", ({ detail: { requestConfig, target } }) => {
  if (requestConfig.elt.id === "poll" || target.id !== "queue") return;
  rowUnderWay = "";
  const isDrawnAnew = !target.isConnected;
  kept = isDrawnAnew ? kept : []; // what failed says so, with a way to try again
  const next = kept.shift();
  if (next) send(next);
});
