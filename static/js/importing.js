// Says that a chosen file is too large before it is sent: a server that refuses it in the middle can say nothing.

const MEGABYTE = 1024 * 1024;

document.addEventListener("change", ({ target }) => {
  if (!target.matches?.("input[type=file][data-most]")) return;
  const error = document.getElementById("error-file");
  const isTooLarge = target.files[0]?.size > Number(target.dataset.most) * MEGABYTE;
  error.textContent = isTooLarge ? error.dataset.tooLarge : "";
  target.setCustomValidity(error.textContent);
});
