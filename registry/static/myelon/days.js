// Days as people write them. The rules and their reasons are those of registry/days.py;
// one table of spellings tests both.

const MONTHS = ["january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december"];
const Y = "(?<y>\\d{4})", M = "(?<m>\\d{1,2})", D = "(?<d>\\d{1,2})", NAME = "(?<name>[a-z]{3,9})\\.?";
const FORMS = [
  `${Y}(?<s>[-/. ])${M}\\k<s>${D}`,
  "(?<y>\\d{4})(?<m>\\d{2})(?<d>\\d{2})",
  `${Y} ?年 ?${M} ?月 ?${D} ?日`,
  `${D}\\. ?${M}\\. ?${Y}`,
  `${D}[ -]?${NAME}[ -]?${Y}`,
  `${NAME} ${D},? ${Y}`,
  `${Y}[-/.]${M}`,
  `${M}[-/.]${Y}`,
  `${Y} ?年 ?${M} ?月`,
  `${NAME}[ -]${Y}`,
  `${Y} ?年?`,
].map((form) => new RegExp(`^${form}$`));

/** Full width, odd spaces and the many dashes as the plain signs that are meant. */
export function plainSigns(text) {
  return text
    .replace(/[\uff01-\uff5e]/g, (sign) => String.fromCharCode(sign.charCodeAt(0) - 0xfee0))
    .replace(/[\u2010-\u2015\u2212\ufe58\ufe63]/g, "-")
    .replace(/\s+/g, " ").trim();
}

function two(number) {
  return String(number).padStart(2, "0");
}

function isoDate(year, month, day) {
  const date = new Date(Date.UTC(year, month - 1, day));
  date.setUTCFullYear(year);
  const same = year > 0 && date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
  return same ? `${String(year).padStart(4, "0")}-${two(month)}-${two(day)}` : null;
}

function monthNamed(name) {
  return name === "sept" ? 9 : MONTHS.findIndex((month) => month.startsWith(name)) + 1;
}

function today() {
  const now = new Date();
  return isoDate(now.getFullYear(), now.getMonth() + 1, now.getDate());
}

/** ISO form of a typed day (2014-05-03), month (2014-05) or year (2014); null where it
 * is not clearly one: 3/4/2021 and 201511 are refused. */
export function readDate(text) {
  const plain = plainSigns(text).toLowerCase();
  if (plain === "today" || plain === "t") return today();
  for (const form of FORMS) {
    const parts = form.exec(plain)?.groups;
    if (!parts) continue;
    const year = Number(parts.y);
    const month = parts.name ? monthNamed(parts.name) : parts.m && Number(parts.m);
    if (parts.d) return isoDate(year, month, Number(parts.d));
    if (month === undefined) return year > 0 ? parts.y : null;
    return year > 0 && month >= 1 && month <= 12 ? `${parts.y}-${two(month)}` : null;
  }
  return null;
}
