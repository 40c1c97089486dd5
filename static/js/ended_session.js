// Keeps a page of the administration, with its text, when a request of htmx finds the session ended.

import { leadsToSignIn, place, showNotice } from "./notice.js";

document.addEventListener("htmx:beforeOnLoad", (event) => {
  if (!leadsToSignIn(event.detail.xhr)) return;
  event.preventDefault();
  showNotice("session");
  place.scrollIntoView({ block: "nearest" });
});
