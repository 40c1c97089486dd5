// Removes a message when its button is pressed.

document.addEventListener("click", ({ target }) => {
  const message = target.closest("[data-dismiss]")?.closest(".message");
  if (!message) return;
  if (message.contains(document.activeElement)) (document.getElementById("scroll") || document.getElementById("main"))?.focus({ preventScroll: true });
  message.remove();
});
