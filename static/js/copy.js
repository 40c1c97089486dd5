// `data-copy="id"` on a button copies the text of that element; the button says what came of it.

const WORD_SECONDS = 3;

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
  const word = button.querySelector("[role=status]");
  button.dataset.word ??= word.textContent;
  const copied = await copy(document.getElementById(button.dataset.copy));
  word.textContent = copied ? button.dataset.copied : button.dataset.failed;
  clearTimeout(button.timer);
  button.timer = setTimeout(() => { word.textContent = button.dataset.word; }, WORD_SECONDS * 1000);
});
