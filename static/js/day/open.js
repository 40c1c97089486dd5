// Opens a free time or a card in the panel; a form that is open there takes the free time and keeps its text.

import { form } from "./grid.js";

document.addEventListener("click", (event) => {
  const link = event.target.closest(".slot > a, .appt > a");
  if (!link?.hasAttribute("href") || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  if (putIntoForm(link)) return;
  // Of a folded card the button gets the focus back when the panel closes.
  const list = link.closest("[popover]");
  list?.hidePopover();
  // static/js/trouble.js reports a request that fails.
  window.htmx.ajax("GET", link.getAttribute("href"), { source: list?.previousElementSibling || link, target: "#panel" }).catch(() => {});
});

// Whether the link is a free time that the open form could take.
function putIntoForm(link) {
  const open = link.closest(".slot") && form();
  if (!open) return false;
  const query = new URL(link.href).searchParams;
  const { doctor, date, starts } = open.elements;
  const choice = [...(doctor?.options || [])].find((option) => option.value === query.get("medico"));
  if (doctor?.options && !choice) return false;
  if (doctor) doctor.value = query.get("medico");
  date.value = date.type === "date" ? query.get("data") : query.get("data").split("-").reverse().join("/");
  starts.value = query.get("inicio");
  takeProcedure(open.elements, query.get("procedimento"));
  // Of requests that come at once the last is sent: the doctor's, whose answer has the procedures too.
  for (const field of [date, starts, doctor]) field?.dispatchEvent?.(new Event("change", { bubbles: true }));
  starts.focus?.();
  return true;
}

// A procedure that nobody chose gives way to the one that fits the time; the server writes its name.
function takeProcedure({ procedure, usual }, fitting) {
  if (!procedure?.options || (procedure.value && procedure.value !== usual.value)) return;
  if (fitting && ![...procedure.options].some((option) => option.value === fitting)) procedure.add(new Option("", fitting));
  procedure.value = usual.value = fitting || "";
}
