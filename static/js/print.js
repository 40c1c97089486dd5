// Prints the page that stands as it will on paper.

document.getElementById("print").addEventListener("click", () => print());
