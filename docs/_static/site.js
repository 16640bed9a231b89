// The current page stands in view in the sidebar, and each block of code has a button that copies it.

function showCurrentPage() {
  const sidebar = document.querySelector(".sidebar-scroll");
  const current = document.querySelector(".sidebar-tree .current-page");
  if (!sidebar || !current) return;
  const place = current.getBoundingClientRect().top - sidebar.getBoundingClientRect().top;
  if (place > sidebar.clientHeight - 100) sidebar.scrollTo({ top: place - sidebar.clientHeight / 2, behavior: "instant" });
}

function readCode(block) {
  const code = block.querySelector("pre").cloneNode(true);
  code.querySelectorAll(".gp, .go").forEach((each) => each.remove()); // prompts, and what a session prints
  return code.textContent.trimEnd() + "\n";
}

function addCopyButton(block) {
  const button = document.createElement("button");
  button.className = "copy";
  button.type = "button";
  button.textContent = "Copy";
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(readCode(block));
    button.textContent = "Copied";
    setTimeout(() => (button.textContent = "Copy"), 2000);
  });
  block.append(button);
}

document.addEventListener("DOMContentLoaded", () => {
  showCurrentPage();
  document.querySelectorAll("div.highlight:not(.usage *)").forEach(addCopyButton);
});
