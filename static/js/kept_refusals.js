// Why an act on a row was refused stays there while the row has the focus, although its list is drawn anew meanwhile.

// Rows match `selector`; in each, .refused-here is what the sentences stand behind.
export function keepRefusals(selector) {
  let kept = null; // sentences of the row in focus, of a list that is about to be replaced

  document.addEventListener("htmx:beforeSwap", ({ detail }) => {
    const row = document.activeElement.closest(selector);
    const isRefresh = detail.requestConfig.verb === "get" && row !== null && detail.target.contains(row);
    kept = isRefresh ? { row: row.id, sentences: [...row.querySelectorAll(".refused-here ~ .message.error")] } : null;
  });

  document.addEventListener("htmx:afterSwap", () => {
    const place = kept && document.querySelector(`#${kept.row} .refused-here`);
    // They have been read aloud.
    for (const sentence of kept?.sentences || []) sentence.removeAttribute("role");
    place?.after(...kept.sentences);
    kept = null;
  });
}
