// Counts down the minutes and seconds that a token has left.

const ends = new WeakMap(); // by the computer's own clock, which need not be right, only run

function tick() {
  for (const shown of document.querySelectorAll("[data-seconds]")) {
    if (!ends.has(shown)) ends.set(shown, Date.now() + Number(shown.dataset.seconds) * 1000);
    const seconds = Math.max(Math.round((ends.get(shown) - Date.now()) / 1000), 0);
    const left = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
    const text = seconds ? shown.dataset.left.replace("#", left) : shown.dataset.over;
    if (shown.textContent !== text) shown.textContent = text;
    shown.parentElement.classList.toggle("good", seconds > 0);
  }
}

tick();
setInterval(tick, 1000);
document.addEventListener("htmx:afterSettle", tick);
