// Opens the browser's calendar, and writes the date it gives as the clinic writes dates.

document.addEventListener("click", ({ target }) => {
  if (target.closest("#day-calendar")) document.getElementById("day-native").showPicker();
});

document.addEventListener("change", ({ target }) => {
  if (target.id !== "day-native" || !target.value) return;
  document.getElementById("day-pick").value = target.value.split("-").reverse().join("/");
  window.htmx.trigger(target.form, "picked");
});
