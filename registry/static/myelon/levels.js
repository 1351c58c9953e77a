// The level range: reads all usual spellings, suggests levels, shows the span on a spine.
// The rules of reading and their reasons are those of registry/levels.py; one table of
// spellings tests both.

import { plainSigns } from "./days.js";

const ready = new WeakSet();
const REGIONS = [["C", 0, 7], ["T", 1, 12], ["L", 1, 5], ["S", 1, 5]];
const VERTEBRAE = REGIONS.flatMap(([letter, first, last]) => {
  const numbers = Array.from({ length: last - first + 1 }, (_, index) => first + index);
  return numbers.map((number) => `${letter}${number}`);
}).concat("Co");
const SEGMENTS = VERTEBRAE.toSpliced(VERTEBRAE.indexOf("T1"), 0, "C8");
const LEVELS = VERTEBRAE.slice(0, -1); // as they are drawn
const ROMAN = ["", "I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII"];
const LEVEL = /^(?<letter>C|TH|T|D|L|S)(?:(?:\. ?| )?0*(?<number>\d{1,2})|(?:\. ?| |(?<=TH))(?<roman>[IVX]+))$/;
const NUMBER = /^(?:0*(?<number>\d{1,2})|(?<roman>[IVX]+))$/;
const RANGE = / ?- ?| TO /;
const LIST = / ?(?:[/,&+]| AND ) ?/;
const BESIDE = /(?<=\d) (?=(?:C|TH|T|D|L|S)\.? ?\d)/g; // as in "T5 T6"

function plain(text) {
  const cyrillic = { "\u0421": "C", "\u0422": "T", "\u03a4": "T" };
  const signs = plainSigns(text).replace(/[~\u30fc\u301c]/g, "-").replace(/\u3001/g, ",");
  return signs.toUpperCase().replace(/[\u0421\u0422\u03a4]/g, (letter) => cyrillic[letter]).replace(/\.$/, "").trimEnd();
}

function numberOf({ number, roman }) {
  return number ? Number(number) : ROMAN.indexOf(roman);
}

function levelOf(part) {
  if (/^CO(CCYX)?$/.test(part)) return "Co";
  const found = LEVEL.exec(part)?.groups;
  if (!found) return null;
  const level = `${["TH", "D"].includes(found.letter) ? "T" : found.letter}${numberOf(found)}`;
  return SEGMENTS.includes(level) ? level : null;
}

function isRoman(part) {
  return Boolean((LEVEL.exec(part) ?? NUMBER.exec(part))?.groups.roman);
}

function nextLevel(before, part, roman) {
  const bare = NUMBER.exec(part)?.groups;
  if (!bare || Boolean(bare.roman) !== roman) return levelOf(part);
  const level = levelOf(`${before[0]}${numberOf(bare)}`);
  // T12-1 means T12-L1 to most people; the server asks for the letter.
  return SEGMENTS.indexOf(level) < SEGMENTS.indexOf(before) ? null : level;
}

function areNeighbours(levels) {
  return [VERTEBRAE, SEGMENTS].some((order) => levels.every((level, place) => !place
    || (order.includes(level) && order.indexOf(level) - order.indexOf(levels[place - 1]) === 1 && order.includes(levels[place - 1]))));
}

/** One or two levels of a typed text ("Th5", "C4/5", "C4-C6"), or an empty list. */
export function readLevels(text) {
  const typed = plain(text);
  const listed = !RANGE.test(typed);
  const parts = listed ? typed.replace(BESIDE, ",").split(LIST) : typed.split(RANGE);
  const levels = [levelOf(parts[0])];
  for (const [place, part] of parts.slice(1).entries()) {
    if (!levels.at(-1)) return [];
    levels.push(nextLevel(levels.at(-1), part, isRoman(parts[place])));
  }
  if (!levels.every(Boolean)) return [];
  const mustTouch = levels.length > 2 || (listed && levels.length === 2 && !typed.includes("/"));
  if (mustTouch && !areNeighbours(levels)) return [];
  levels.sort((one, other) => SEGMENTS.indexOf(one) - SEGMENTS.indexOf(other));
  const [upper, lower] = [levels[0], levels.at(-1)];
  if (lower === "Co" && upper[0] === "C" && !["C0", "Co"].includes(upper)) return [];
  return levels.length > 1 ? [upper, lower] : [upper];
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

/** A range belongs into the first input; in the second one it is left to the server,
 * which says so, rather than written over the first. */
function tidy(input, lower) {
  const levels = readLevels(input.value);
  if (!levels.length || (levels.length === 2 && !lower)) return;
  input.value = levels[0];
  if (levels.length === 2) { lower.value = levels[1]; changed(lower); }
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
  bottom.addEventListener("change", () => tidy(bottom));
  box.addEventListener("input", () => show(box, top, bottom));
  show(box, top, bottom);
}

document.querySelectorAll("[data-levels]").forEach(setUpLevels);
document.addEventListener("htmx:load", (event) => {
  (event.target.parentElement ?? document).querySelectorAll("[data-levels]").forEach(setUpLevels);
});
