// Whether an act of this page was sent while a refresh was under way, whose answer then does not have it.

let actsSent = 0;
let actsAnswered = 0;
let actsBeforeRefresh = 0;

document.addEventListener("htmx:beforeSend", ({ detail }) => {
  if (detail.requestConfig.verb !== "post") return;
  actsSent += 1;
  detail.xhr.addEventListener("readystatechange", () => { actsAnswered += Number(detail.xhr.readyState === XMLHttpRequest.DONE); });
});

export const isActUnderWay = () => actsAnswered < actsSent;
export const refreshBegins = () => { actsBeforeRefresh = actsSent; };
export const isActSentSince = () => actsBeforeRefresh !== actsSent;
