// Keeps a page, with its text, whose form is sent without a network: the browser would put its own page in its place.

import { clearNotice, place, showNotice } from "./notice.js";

const reachable = new WeakSet(); // forms whose server has answered: it may be on this computer

document.addEventListener("submit", (event) => {
  const { target: form, submitter } = event;
  const isPlain = form.getAttribute("method")?.toLowerCase() === "post" && !form.hasAttribute("hx-post");
  if (navigator.onLine || !isPlain || reachable.delete(form)) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  fetch(document.querySelector("link[rel=icon]").href, { method: "HEAD", cache: "no-store" }).then(
    () => {
      clearNotice();
      reachable.add(form);
      form.requestSubmit(submitter);
    },
    () => {
      showNotice("offline");
      place.scrollIntoView({ block: "nearest" });
    },
  );
}, true);
