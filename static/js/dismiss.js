// Removes a message when its button is pressed.

document.addEventListener("click", ({ target }) => target.closest("[data-dismiss]")?.closest(".message").remove());
