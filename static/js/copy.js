// Copies the text of the element that `data-copy` on a button names, and says whether that worked.

// A live region says it too: what a button holds is not announced when it changes.
const WORD_SECONDS = 3;
const announcement = document.createElement("p");
announcement.className = "hidden-text";
announcement.setAttribute("role", "status");
document.getElementById("main").append(announcement);

async function copy(source) {
  const text = "value" in source ? source.value : source.textContent;
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copySelected(source); // over plain HTTP there is no clipboard, and it may be refused
  }
}

function copySelected(source) {
  if (source.select) {
    source.focus();
    source.select();
  } else {
    getSelection().selectAllChildren(source);
  }
  return document.execCommand("copy");
}

document.addEventListener("click", async ({ target }) => {
  const button = target.closest("[data-copy]");
  if (!button) return;
  const word = button.querySelector("[data-word]");
  button.dataset.before ??= word.textContent;
  const copied = await copy(document.getElementById(button.dataset.copy));
  word.textContent = announcement.textContent = copied ? button.dataset.copied : button.dataset.failed;
  clearTimeout(button.timer);
  button.timer = setTimeout(() => {
    word.textContent = button.dataset.before;
    announcement.textContent = "";
  }, WORD_SECONDS * 1000);
});
