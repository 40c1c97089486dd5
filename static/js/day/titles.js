// Shows the whole of a card's text under the pointer: on the card it ends in an ellipsis.

document.addEventListener("mouseover", ({ target }) => {
  const card = target.closest?.(".appt > a");
  if (card && !card.title) card.title = card.ariaLabel;
});
