// Lets a letter choose the payer that begins with it, the next one when it is pressed again.

import { panel } from "../day/grid.js";

const folded = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").trim().toLowerCase();

panel.addEventListener("keydown", (event) => {
  const choices = event.target.closest?.("[data-letters]");
  const isLetter = /^\p{L}$/u.test(event.key) && !event.altKey && !event.ctrlKey && !event.metaKey;
  if (!choices || event.target.type !== "radio" || !isLetter || event.isComposing) return;
  // Here a letter is not a key of the day.
  event.preventDefault();
  const radios = [...choices.querySelectorAll("input[type=radio]")];
  const at = radios.indexOf(event.target);
  const next = [...radios.slice(at + 1), ...radios.slice(0, at)].find((radio) => folded(radio.closest("label").textContent).startsWith(folded(event.key)));
  if (!next || event.repeat) return;
  next.focus();
  next.click();
});
