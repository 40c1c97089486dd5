// Brings what a popup of the admin has added back into its list of boxes, ticked. Django's own script knows selects only.

const listOf = (popup) => document.getElementById(popup.name.replace(/__\d+$/, ""));
const isTickList = (element) => element?.tagName === "DIV" && element.id.startsWith("id_");

function newBox(list, value) {
  const box = document.createElement("input");
  const number = list.querySelectorAll("input[type=checkbox]").length;
  Object.assign(box, { type: "checkbox", name: list.id.slice("id_".length), value, id: `${list.id}_${number}`, checked: true });
  return box;
}

function newRow(box, text) {
  const row = document.createElement("div");
  const label = document.createElement("label");
  label.htmlFor = box.id;
  label.append(box, ` ${text}`);
  row.append(label);
  return row;
}

// The rows are in the order of their names.
function add(list, value, text) {
  const box = newBox(list, value);
  const next = [...list.children].find((row) => row.textContent.trim().localeCompare(text, document.documentElement.lang) > 0);
  list.insertBefore(newRow(box, text), next || null);
  return box;
}

function tick(list, value, text) {
  const boxes = [...list.querySelectorAll("input[type=checkbox]")];
  const box = boxes.find((candidate) => candidate.value === String(value)) || add(list, value, text);
  box.checked = true;
  box.dispatchEvent(new Event("change", { bubbles: true }));
  box.focus();
}

const dismiss = window.dismissAddRelatedObjectPopup;

if (dismiss) {
  window.dismissAddRelatedObjectPopup = (popup, value, text, group) => {
    const list = listOf(popup);
    dismiss(popup, value, text, group);
    if (isTickList(list)) tick(list, value, text);
  };
}
