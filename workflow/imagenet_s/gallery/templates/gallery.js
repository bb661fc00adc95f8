// Search and sorting of the start page; masks and keys of the others.
"use strict";

const one = (selector) => document.querySelector(selector);
const all = (selector) => [...document.querySelectorAll(selector)];
const root = document.documentElement;

// What was chosen on one page holds on the next. Some browsers refuse to store anything for files.
const kept = (name) => { try { return sessionStorage.getItem(name); } catch { return null; } };
const keep = (name, value) => { try { sessionStorage.setItem(name, value); } catch { /* not kept */ } };

// Masks.
const fade = one("#fade");
const toggle = one("#toggle");

function showFade() {
  root.style.setProperty("--fade", fade.value / 100);
  one("output[for=fade]").value = `${fade.value} %`;
}

function showMasks(shown) {
  root.classList.toggle("no-masks", !shown);
  toggle.setAttribute("aria-pressed", String(shown));
  keep("masks", shown ? "on" : "off");
}

if (fade) {
  fade.value = kept("fade") ?? fade.value;
  fade.addEventListener("input", () => { showFade(); keep("fade", fade.value); });
  toggle.addEventListener("click", () => showMasks(root.classList.contains("no-masks")));
  showFade();
  showMasks(kept("masks") !== "off");
}

// Pictures that cannot be loaded.
function replace(image) {
  if (image.classList.contains("original")) {
    root.classList.add("original-gone");
    image.remove();
  } else if (image.classList.contains("mask") || !image.alt) {
    image.remove();
  } else {
    const box = document.createElement("div");
    box.className = "picture broken";
    box.setAttribute("role", "img");
    box.setAttribute("aria-label", image.alt);
    box.append(Object.assign(document.createElement("p"), { textContent: `Not there: the picture of ${image.alt}` }));
    image.closest(".picture").replaceWith(box);
  }
}
addEventListener("error", (event) => { if (event.target instanceof HTMLImageElement) replace(event.target); }, true);
for (const image of all("img")) if (image.complete && !image.naturalWidth) replace(image);

// The table of classes.
const search = one("#search");
const rows = all("#table tbody tr").map((row) => ({
  row,
  id: row.cells[1].textContent,
  text: `${row.cells[2].textContent} ${row.cells[3].textContent}`.toLowerCase(),
}));

function find() {
  const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
  let found = 0;
  for (const { row, id, text } of rows) {
    const fits = words.every((word) => (/^\d+$/.test(word) ? id === word : text.includes(word)));
    row.hidden = !fits;
    found += fits;
  }
  one("#found").value = found === 1 ? "1 class" : `${found} classes`;
}

function sortBy(head) {
  const column = head.cellIndex;
  const down = head.getAttribute("aria-sort") === "ascending";
  const value = (row) => row.cells[column].dataset.value ?? row.cells[column].textContent;
  const order = new Intl.Collator("en", { numeric: true });
  const sorted = rows.map(({ row }) => row).sort((a, b) => order.compare(value(a), value(b)));
  for (const other of all("#table th[aria-sort]")) other.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", down ? "descending" : "ascending");
  one("#table tbody").append(...(down ? sorted.reverse() : sorted));
}

if (search) {
  search.addEventListener("input", find);
  search.form.addEventListener("submit", (event) => event.preventDefault());
  for (const button of all("#table thead button")) button.addEventListener("click", () => sortBy(button.closest("th")));
  if (search.value) find(); // the browser may have kept it
}

// Keys.
const LINKS = { ArrowLeft: "prev", ArrowRight: "next", u: "up" };

addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey) return;
  if (event.target === search) {
    if (event.key === "Escape") search.blur();
    return;
  }
  if (event.key === "m" && toggle) toggle.click();
  else if (event.key === "/" && search) { event.preventDefault(); search.focus(); }
  else if (event.key in LINKS && !(event.target === fade && event.key.startsWith("Arrow"))) one(`a[rel=${LINKS[event.key]}]`)?.click();
});
