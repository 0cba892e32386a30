// Keys for pages on which the same is done again and again: what has `data-key` is pressed, or gets the focus, by that key.
// They are off while something is written, while clicks decide nothing either, and for whoever switches them off.
const switched = document.getElementById("keys");
let isLeaving = false;

if (switched) {
  switched.checked = localStorage.getItem("keys") !== "off";
  switched.addEventListener("change", () => localStorage.setItem("keys", switched.checked ? "on" : "off"));
}

document.addEventListener("submit", () => (isLeaving = true));
window.addEventListener("pageshow", () => (isLeaving = false));

document.addEventListener("keydown", (event) => {
  const {target, key} = event;
  const isText = target.matches("textarea, select, [contenteditable], input:not([type=radio], [type=checkbox])");
  if (key === "Escape" && target.matches("[data-key]")) target.blur();
  if (isText || isLeaving || event.repeat || event.ctrlKey || event.metaKey || event.altKey) return;
  if (switched && !switched.checked) return;
  const wanted = document.querySelector(`[data-key="${CSS.escape(key.toLowerCase())}"]`);
  if (!wanted || getComputedStyle(wanted).pointerEvents === "none") return;
  event.preventDefault();
  if (wanted.matches("input")) wanted.focus();
  else {
    isLeaving = true;
    wanted.click();
  }
});
