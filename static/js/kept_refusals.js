// Why an act on a row was refused stays there while the row has the focus, although its list is drawn anew meanwhile.

// Rows match `selector`; in each, .refused-here is what the sentences stand behind, and the way on from them.
const SENTENCES = ".refused-here ~ .message.error, .refused-here ~ .way-on";
const seenIn = (row) => row.querySelector("[name=seen]")?.value;

export function keepRefusals(selector) {
  let kept = null; // sentences of the row in focus, of a list that is about to be replaced

  document.addEventListener("htmx:beforeSwap", ({ detail }) => {
    const row = document.activeElement.closest(selector);
    const isRefresh = detail.requestConfig.verb === "get" && row !== null && detail.target.contains(row);
    kept = isRefresh ? { row: row.id, seen: seenIn(row), sentences: [...row.querySelectorAll(SENTENCES)] } : null;
  });

  document.addEventListener("htmx:afterSwap", () => {
    const row = kept && document.getElementById(kept.row);
    // Of a row that has changed they may no longer be true.
    if (row && seenIn(row) === kept.seen) {
      for (const sentence of kept.sentences) sentence.removeAttribute("role"); // they have been read aloud
      row.querySelector(".refused-here")?.after(...kept.sentences);
    }
    kept = null;
  });
}
