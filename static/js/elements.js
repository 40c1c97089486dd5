// Elements that every page has.

export const panel = document.getElementById("panel");
