// Blurs the names on the page, so that a patient at the counter reads no other's; for this tab until it is pressed again.

const BLUR = "blur"; // in this tab

function followBlur() {
  const isOn = sessionStorage.getItem(BLUR) === "on";
  document.documentElement.toggleAttribute("data-blur", isOn);
  document.getElementById("blur")?.setAttribute("aria-pressed", isOn);
}

followBlur();
document.addEventListener("click", ({ target }) => {
  if (!target.closest("#blur")) return;
  sessionStorage.setItem(BLUR, document.documentElement.hasAttribute("data-blur") ? "off" : "on");
  followBlur();
});
