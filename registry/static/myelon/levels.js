// The level range: reads all usual spellings, suggests levels, shows the span on a spine.

const ready = new WeakSet();
const REGIONS = [["C", 0, 7], ["T", 1, 12], ["L", 1, 5], ["S", 1, 5]];
const LEVELS = REGIONS.flatMap(([letter, first, last]) => {
  const numbers = Array.from({ length: last - first + 1 }, (_, index) => first + index);
  return numbers.map((number) => `${letter}${number}`);
});
const SPELLING = /^\s*(C|TH|T|D|L|S)\s*0?(\d{1,2})\s*(?:(?:\/|-|–|to|\s)\s*(C|TH|T|D|L|S)?\s*0?(\d{1,2}))?\s*$/i;

function levelName(letter, number) {
  const plain = { TH: "T", D: "T" }[letter.toUpperCase()] ?? letter.toUpperCase();
  const level = `${plain}${Number(number)}`;
  return LEVELS.includes(level) ? level : null;
}

/** One or two levels of a typed text ("Th5", "C4/5", "C4-C6"), or an empty list. */
export function readLevels(text) {
  const match = SPELLING.exec(text);
  if (!match) return [];
  const upper = levelName(match[1], match[2]);
  const lower = match[4] ? levelName(match[3] ?? match[1], match[4]) : null;
  if (!upper || (match[4] && !lower)) return [];
  // T12-1 means T12-L1 to most people; the server asks for the letter.
  if (lower && !match[3] && LEVELS.indexOf(lower) < LEVELS.indexOf(upper)) return [];
  return lower ? [upper, lower] : [upper];
}

function suggest(input) {
  const list = document.createElement("datalist");
  list.id = `${input.id}-levels`;
  for (const level of LEVELS) list.append(new Option(level, level));
  input.after(list);
  input.setAttribute("list", list.id);
  input.autocomplete = "off";
}

function changed(input) {
  input.dispatchEvent(new Event("input", { bubbles: true }));
}

function tidy(input, other) {
  const levels = readLevels(input.value);
  if (!levels.length) return;
  input.value = levels[0];
  if (levels.length === 2) { other.value = levels[1]; changed(other); }
  changed(input);
}

function drawSpine(spine, choose) {
  for (const level of LEVELS) {
    const button = document.createElement("button");
    button.type = "button";
    button.tabIndex = -1;
    button.title = level;
    button.textContent = level;
    if (level !== "C0" && /^[TLS]1$/.test(level)) button.classList.add("is-region-start");
    button.addEventListener("click", () => choose(level));
    spine.append(button);
  }
}

function show(box, top, bottom) {
  const [first, last] = [top, bottom].map((input) => LEVELS.indexOf(readLevels(input.value)[0]));
  const end = last < 0 ? first : last;
  box.querySelectorAll("[data-spine] button").forEach((button, index) => {
    button.classList.toggle("is-in", first >= 0 && index >= first && index <= end);
  });
  const count = end - first + 1;
  const words = box.dataset;
  let text = "";
  if (first >= 0 && last >= 0) {
    text = count < 1 ? words.spanWrong : count === 1 ? words.spanOne : words.spanMany.replace("{n}", count);
  }
  box.querySelector("[data-levels-span]").textContent = text;
}

function setUpLevels(box) {
  if (ready.has(box)) return;
  ready.add(box);
  const [top, bottom] = box.querySelectorAll(".field input");
  [top, bottom].forEach(suggest);
  drawSpine(box.querySelector("[data-spine]"), (level) => {
    const extend = top.value && !bottom.value && LEVELS.indexOf(level) >= LEVELS.indexOf(readLevels(top.value)[0]);
    if (extend) bottom.value = level;
    else { top.value = level; bottom.value = ""; }
    changed(extend ? bottom : top);
  });
  top.addEventListener("change", () => tidy(top, bottom));
  bottom.addEventListener("change", () => tidy(bottom, top));
  box.addEventListener("input", () => show(box, top, bottom));
  show(box, top, bottom);
}

document.querySelectorAll("[data-levels]").forEach(setUpLevels);
document.addEventListener("htmx:load", (event) => {
  (event.target.parentElement ?? document).querySelectorAll("[data-levels]").forEach(setUpLevels);
});
