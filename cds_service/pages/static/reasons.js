// Every check with its outcome, what it read and what it cited. A check is drawn when it is opened.

import { fill, link, make } from "./elements.js";

const GROUPS = [
  ["fired", "Fired", "Follows from what was read. A card says it at the hook where it helps."],
  ["not evaluated", "Not evaluated", "Could not be looked at: what was missing stands with each."],
  ["clear", "Clear", "Looked at, and in order."],
  ["not applicable", "Not applicable", "Not about this patient at this moment."],
];
const opened = new Set(["fired", "not evaluated"]); // what was opened stays open in the next answer

/** Show every check, the most important group first. */
export function showReasons(place, steps) {
  fill(place,
    make("p", { class: "small quiet" }, `${steps.length} checks were made.`),
    GROUPS.map(([outcome, words, says]) => group(outcome, words, says, steps.filter((step) => step.outcome === outcome))));
}

/** Open the fired checks of this rule, and go to the first; false where there is none. */
export function openRule(place, rule) {
  const found = [...place.querySelectorAll("[data-rule]")].filter((box) => box.dataset.rule === rule);
  if (!found.length) return false;
  found[0].closest(".group").open = true;
  for (const box of found) box.open = true;
  found[0].scrollIntoView({ block: "nearest" });
  found[0].querySelector("summary").focus();
  return true;
}

function group(outcome, words, says, steps) {
  const body = make("div", {}, make("p", { class: "small quiet" }, says),
    steps.map((step) => (outcome === "not applicable" ? brief(step) : check(step, outcome))));
  return remembered(outcome, make("details", { class: "group", "data-outcome": outcome },
    make("summary", {}, make("span", { class: "name" }, words), " ", make("span", { class: "count" }, String(steps.length))),
    steps.length ? body : make("p", { class: "small quiet" }, "None.")));
}

function check(step, outcome) {
  const why = step.why || step.missing.join("; ");
  const head = make("summary", {}, mark(step), " ", make("strong", {}, step.title), about(step, " · ", ""),
    why ? make("span", { class: "why small" }, why) : "");
  const box = make("details", { class: "check", "data-rule": outcome === "fired" ? step.rule : undefined }, head);
  let drawn = false;
  box.addEventListener("toggle", () => {
    if (box.open && !drawn) box.append(inside(step));
    drawn = drawn || box.open;
  });
  return remembered(`${outcome} ${step.rule} ${step.subject}`, box);
}

function brief(step) {
  return make("p", { class: "brief small" }, make("strong", {}, step.title), about(step, " (", ")"),
    step.why ? `: ${step.why}` : "");
}

/** Whom or what the check is about, where that is not simply the patient. */
const about = (step, before, after) => (step.subject && step.subject !== "patient" ? before + step.subject + after : "");

function mark(step) {
  const kind = { critical: "critical", warning: "warning", info: "info" }[step.level];
  if (kind) return make("span", { class: `tag ${kind}` }, step.level);
  return make("span", { class: `tag ${step.outcome === "clear" ? "good" : "blind"}` }, step.outcome === "clear" ? "clear" : "unseen");
}

function inside(step) {
  return make("div", { class: "inside" },
    step.missing.length ? part("Missing", make("ul", {}, step.missing.map((each) => make("li", {}, each)))) : "",
    step.reads.length ? part("Read", make("dl", {}, step.reads.flatMap(read))) : "",
    step.cites.length ? part("Cited", make("ul", {}, step.cites.map(cited))) : "",
    step.local ? make("p", { class: "small" }, step.local) : "",
    make("p", { class: "small quiet" }, "Rule ", make("code", {}, step.rule)));
}

const part = (title, body) => make("div", { class: "part" }, make("h4", {}, title), body);

function read(fact) {
  // a value in words that holds its unit already is not given it twice
  const unit = fact.unit && !fact.value.includes(fact.unit) ? ` ${fact.unit}` : "";
  const value = fact.value ? `${fact.value}${unit}` : fact.why || fact.state;
  const from = [fact.date && `on ${fact.date}`, fact.resource && `from ${fact.resource}`, fact.source && `(${fact.source})`];
  const said = [...fact.doubts, ...fact.notes, ...(fact.value && fact.why ? [fact.why] : [])];
  return [
    make("dt", {}, fact.label),
    make("dd", {}, make("span", { class: fact.value ? "told" : "told quiet" }, value),
      make("span", { class: "small quiet" }, from.filter(Boolean).join(" ")),
      fact.as_received && fact.as_received !== fact.value ? make("span", { class: "small quiet" }, `as received: ${fact.as_received}`) : "",
      said.length ? make("span", { class: "small" }, said.join("; ")) : ""),
  ];
}

function cited(statement) {
  return make("li", {}, make("code", {}, statement.id), " ", make("strong", {}, statement.value), " ",
    make("span", { class: "tag" }, statement.verification),
    make("span", { class: "small quiet" }, ` ${statement.reviewed_by ? `reviewed ${statement.reviewed_on} by ${statement.reviewed_by}` : `${statement.reviewed_on}, not signed`}; since ${statement.effective}`),
    statement.foreign ? make("span", { class: "small" }, ` of ${statement.foreign}`) : "",
    statement.local ? make("span", { class: "small" }, ` ${statement.local}`) : "",
    make("ul", { class: "small" }, statement.sources.map((each) =>
      make("li", {}, each.url ? link(each.url, each.title) : each.title, `, ${each.at}`,
        each.says ? make("span", { class: "quiet" }, `: ${each.says}`) : ""))));
}

function remembered(name, box) {
  box.addEventListener("toggle", () => (box.open ? opened.add(name) : opened.delete(name)));
  if (opened.has(name)) box.open = true;
  return box;
}
