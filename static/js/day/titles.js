// Shows the whole of a card's text under the pointer: on the card it ends in an ellipsis.

const PARTS = "i, .word, .of, .badge";

function textOf(card) {
  const [starts, ends, name] = [".time", ".until", "b"].map((part) => card.querySelector(part).textContent);
  const parts = [...card.querySelectorAll(PARTS)].map((part) => part.textContent);
  return [`${starts}${ends} ${name}`, ...parts].filter(Boolean).join(" · ");
}

document.addEventListener("mouseover", ({ target }) => {
  const card = target.closest?.(".appt > a");
  if (card && !card.title) card.title = textOf(card);
});
