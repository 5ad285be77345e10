// Keys for the list. Single letters work only outside inputs; everything also works without this.
const rows = [...document.querySelectorAll("#issues > li")];
const dialog = document.getElementById("keys");
const button = document.getElementById("keys-button");
const search = document.getElementById("q");
let at = -1;

function go(to) {
  if (!rows.length) return;
  rows[at]?.removeAttribute("aria-current");
  at = Math.max(0, Math.min(rows.length - 1, to));
  rows[at].setAttribute("aria-current", "true");
  (rows[at].querySelector("a") ?? rows[at]).focus({ preventScroll: true });
  rows[at].scrollIntoView({ block: "nearest" });
}

const keys = {
  j: () => go(at + 1),
  k: () => go(at - 1),
  x: () => rows[at]?.querySelector(".pick")?.click(),
  e: () => {
    const form = document.querySelector("form.triage");
    form?.scrollIntoView({ block: "nearest" });
    form?.querySelector("select, input:not([type=hidden])")?.focus();
  },
  "/": () => search?.focus(),
  u: () => document.getElementById("back")?.click(),
  "?": () => dialog.showModal(),
};

if (button) {
  button.hidden = false;
  button.addEventListener("click", () => dialog.showModal());
}
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || dialog.open) return;
  if (event.target.closest("input, select, textarea, [contenteditable]")) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  const action = keys[event.key];
  if (action) {
    event.preventDefault();
    action();
  }
});
document.getElementById("profile")?.addEventListener("change", (e) => e.target.form.requestSubmit());
