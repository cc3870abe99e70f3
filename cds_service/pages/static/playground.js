// The playground: which patient, which hook, and what is shown of the answer.

import { showCards } from "./card.js";
import { build } from "./controls.js";
import { counted, fill, link, make, uuid } from "./elements.js";
import * as chart from "./patient.js";
import { openRule, showReasons } from "./reasons.js";

const KEPT = "aml-cds playground"; // in sessionStorage: gone when the tab is closed
const STEPS_BACK = 30;
const JSON_TYPE = { "Content-Type": "application/json" };
const LEVELS = [["critical", "stop", "stops"], ["warning", "warning", "warnings"], ["info", "note", "notes"]];
const find = (id) => document.getElementById(id);
const where = find("playground").dataset;

let offer;
let patient;
let hook = "order-sign";
let from = ""; // the story of the list, "own", or ""
let before = []; // what the patient was, for Undo
let shown = null; // the summaries of the last answer
let turn = 0;
let sync = () => {};

start();

async function start() {
  offer = await (await fetch(where.offer)).json();
  sync = build(offer, () => patient, changed);
  for (const button of document.querySelectorAll("[data-hook]")) {
    button.addEventListener("click", () => fire(button.dataset.hook));
  }
  find("story").addEventListener("change", () => tell(find("story").value));
  find("again").addEventListener("click", () => (from === "own" ? use(find("own-text").value) : tell(from)));
  find("undo").addEventListener("click", undo);
  find("own-use").addEventListener("click", () => use(find("own-text").value));
  find("own-file").addEventListener("change", async () => {
    const file = find("own-file").files[0];
    if (file && !tooLarge(file.size)) use(await file.text());
  });
  find("copy").addEventListener("click", copy);
  tabs();
  if (window.matchMedia("(max-width: 62rem)").matches) find("controls").open = false;
  if (!recalled()) await tell(find("story").querySelector('[value="gilteritinib-qtc-512/sign"]') ? "gilteritinib-qtc-512/sign" : find("story").value);
}

// --- Which patient ------------------------------------------------------------------------------------------------------

async function tell(name) {
  if (!name || name === "own") return say("Paste a Bundle or a hook request to begin.");
  const answer = await fetch(where.story + name);
  if (!answer.ok) return say("This story cannot be had.");
  const told = await answer.json();
  const about = { title: told.title, shows: told.shows, story: name, now: told.now };
  from = name;
  hook = told.request.hook;
  begin(told.record ? chart.fromBundle(told.record, queries(), about) : chart.fromRequest(told.request, about));
}

/** Whether so many bytes are more than the service reads: said in words, before anything is read. */
function tooLarge(bytes) {
  const most = offer.max_body_mb * 1024 * 1024;
  if (bytes <= most) return false;
  find("own-said").textContent = `This is ${(bytes / 1024 / 1024).toFixed(1)} MB, and the service reads ${offer.max_body_mb} MB at most. `
    + "Not used: leave out resources that no query asks for, or older ones.";
  return true;
}

function use(text) {
  const said = find("own-said");
  if (tooLarge(new Blob([text]).size)) return;
  try {
    const sent = JSON.parse(text);
    const about = { title: "Your own", story: "own", now: offer.now };
    const found = sent?.resourceType === "Bundle" ? chart.fromBundle(sent, queries(), about) : chart.fromRequest(sent, about);
    if (offer.services.some((service) => service.hook === sent?.hook)) hook = sent.hook;
    else if (!found.drafts.length) hook = "patient-view"; // nothing to sign yet
    from = "own";
    find("own-text").value = text;
    said.textContent = ["Used.", found.left ? `Left out, as no query asks for them: ${found.left}.` : "",
      found.drafts.length ? "" : "No order is drafted in it, so its chart is opened: add a drug, then sign."].join(" ").trim();
    begin(found);
  } catch (fault) {
    said.textContent = fault instanceof SyntaxError ? `This is not JSON: ${fault.message}` : fault.message;
  }
}

function begin(found) {
  patient = found;
  before = [];
  shown = null;
  find("story").value = from;
  fire(hook);
}

const queries = () => offer.services[0].queries;

// --- Changes --------------------------------------------------------------------------------------------------------------

let last = ""; // the patient as last kept, so that a change can be undone

function changed(words) {
  if (last) before = [...before, last].slice(-STEPS_BACK);
  return fire(hook, words);
}

function undo() {
  const earlier = before.pop();
  if (!earlier) return;
  patient = JSON.parse(earlier);
  fire(hook, "Undone");
}

function keep() {
  last = JSON.stringify(patient);
  try {
    sessionStorage.setItem(KEPT, JSON.stringify({ patient, hook, from }));
  } catch {
    sessionStorage.removeItem(KEPT); // too large to keep: the page works on without
  }
}

function recalled() {
  try {
    const kept = JSON.parse(sessionStorage.getItem(KEPT));
    if (!kept?.patient?.prefetch) return false;
    ({ patient, hook, from } = kept);
    find("story").value = from;
    fire(hook);
    return true;
  } catch {
    return false;
  }
}

// --- Ask, and show ----------------------------------------------------------------------------------------------------------

async function fire(which, words = "") {
  hook = which;
  keep();
  sync();
  banner();
  for (const button of document.querySelectorAll("[data-hook]")) {
    button.setAttribute("aria-pressed", String(button.dataset.hook === hook));
  }
  const mine = ++turn;
  const request = chart.requestOf(patient, hook, uuid());
  const body = JSON.stringify(request);
  showRequest(request, body);
  const since = performance.now();
  let answer;
  try {
    answer = await fetch(`${where.answer}?now=${encodeURIComponent(patient.now)}`, { method: "POST", headers: JSON_TYPE, body });
  } catch {
    return mine === turn && refused("The service cannot be reached. In an EHR this is silence.", []);
  }
  const told = await answer.json();
  const milliseconds = performance.now() - since;
  if (mine !== turn) return; // a later change was asked meanwhile
  find("response").querySelector("pre").textContent = JSON.stringify(told.response ?? told, null, 2);
  if (!answer.ok) return refused(`HTTP ${answer.status}. An EHR shows nothing of it: to the clinician this is silence.`, told.issue ?? []);
  const { cards } = told.response;
  showCards(find("cards"), cards, told.details, {
    onAccept: accepted, onOverride: overridden, onWhy: (card) => why(card, told.trace),
  });
  if (!cards.length && hook !== "patient-view" && !patient.drafts.length) {
    find("cards").append(make("p", { class: "small quiet" }, "No order is drafted: add a drug as a draft order, or open the chart."));
  }
  showReasons(find("reasons"), told.trace);
  if (told.pathway) find("reasons").prepend(elsewhere(told));
  heard(cards, told, milliseconds, words);
  where.answered = String(mine);
}

/** The pages that show this patient's path, and the studies of what the card at relapse offers. */
function elsewhere({ pathway, options }) {
  const to = (page, query) => new URL(`${page}?${new URLSearchParams(query)}`, window.location.href).href;
  return make("p", { class: "small" },
    link(to("pathway", { lit: pathway }), "The pathway, this path lit"),
    options.length ? " · " : "",
    options.length ? link(to("evidence", { options: options.join(",") }), `The studies of ${counted(options.length, "option")}`) : "");
}

/** What opens the checks that a card is about; null where its topic is no rule that fired. */
function why(card, steps) {
  const rule = (card.source?.topic?.code ?? "").replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  if (!steps.some((step) => step.rule === rule && step.outcome === "fired")) return null;
  return () => {
    find("tab-reasons").click();
    openRule(find("reasons"), rule);
  };
}

function refused(words, issues) {
  shown = null;
  fill(find("cards"), issues.length ? make("p", { class: "panel" }, issues.map((issue) => make("span", { class: "why" }, issue.diagnostics ?? ""))) : "");
  fill(find("reasons"), make("p", { class: "quiet" }, "No check was made."));
  say(words);
  where.answered = String(turn);
}

function heard(cards, told, milliseconds, words) {
  const counts = LEVELS.map(([level, one, many]) => [cards.filter((card) => card.indicator === level).length, one, many]);
  const kinds = counts.filter(([number]) => number).map(([number, one, many]) => counted(number, one, many));
  const now = cards.map((card) => card.summary);
  const gone = (shown ?? []).filter((each) => !now.includes(each));
  const fresh = shown ? now.filter((each) => !shown.includes(each)) : [];
  shown = now;
  fill(find("heard"),
    words ? make("span", { class: "what" }, `${words}.`) : "",
    make("strong", {}, kinds.length ? kinds.join(", ") : "No card"),
    make("span", { class: "small quiet" }, ` in ${Math.max(1, Math.round(told.seconds * 1000))} ms (${Math.round(milliseconds)} ms with the way here)`),
    gone.map((each) => make("span", { class: "gone small" }, `Gone: ${each}`)),
    fresh.map((each) => make("span", { class: "fresh small" }, `New: ${each}`)));
}

function say(words) {
  find("heard").textContent = words;
}

function banner() {
  const on = chart.conditions(patient);
  fill(find("who"), make("strong", {}, chart.spokenOf(patient)), make("span", { class: "small" }, on.join("; ") || "no condition on file"),
    patient.shows ? make("span", { class: "small quiet" }, `${patient.title}. Shows: ${patient.shows}.`) : "");
  find("undo").disabled = before.length === 0;
}

function showRequest(request, body) {
  find("request").querySelector("pre").textContent = JSON.stringify(request, null, 2);
  const today = patient.now.slice(0, 10) === offer.now.slice(0, 10);
  const service = offer.services.find((each) => each.hook === hook);
  const path = today ? `${where.services}/${service.id}` : `${where.answer}?now=${encodeURIComponent(patient.now)}`;
  const url = new URL(path, window.location.origin).href;
  find("curl-said").textContent = today
    ? "Sends this very request to the service, as an EHR would."
    : "The story plays on another day than today, so this asks the playground, which answers as of that day.";
  find("curl").querySelector("pre").textContent = `curl -s -H 'Content-Type: application/json' -d @- '${url}' <<'EOF'\n${body}\nEOF`;
}

// --- Accept and override ------------------------------------------------------------------------------------------------------

async function accepted(card, suggestion) {
  chart.accept(patient, suggestion);
  const kept = await feedback(card, { outcome: "accepted", acceptedSuggestions: [{ id: suggestion.uuid }] });
  await changed(`Accepted: ${suggestion.label}. ${kept}`.replace(/\.$/, ""));
  find("heard").focus(); // the button that was pressed is gone
}

const overridden = (card, reason) => feedback(card, { outcome: "overridden", overrideReason: { reason } });

/** Tell the service what became of a card, as an EHR does; the words for whether it was taken. */
async function feedback(card, outcome) {
  const service = offer.services.find((each) => each.hook === hook);
  const entry = { card: card.uuid, outcomeTimestamp: new Date().toISOString(), ...outcome };
  try {
    const answer = await fetch(`${where.services}/${service.id}/feedback`, {
      method: "POST", headers: JSON_TYPE, body: JSON.stringify({ feedback: [entry] }),
    });
    return answer.ok ? "Feedback was sent." : `Feedback was not taken (HTTP ${answer.status}).`;
  } catch {
    return "Feedback could not be sent.";
  }
}

// --- Tabs, copy -----------------------------------------------------------------------------------------------------------------

function tabs() {
  const every = [...document.querySelectorAll("[role=tab]")];
  const select = (tab) => {
    for (const each of every) {
      each.setAttribute("aria-selected", String(each === tab));
      each.tabIndex = each === tab ? 0 : -1;
      find(each.getAttribute("aria-controls")).hidden = each !== tab;
    }
  };
  every.forEach((tab, index) => {
    tab.addEventListener("click", () => select(tab));
    tab.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!step) return;
      const next = every[(index + step + every.length) % every.length];
      select(next);
      next.focus();
    });
  });
}

async function copy() {
  try {
    await navigator.clipboard.writeText(find("curl").querySelector("pre").textContent);
    find("copied").textContent = "Copied.";
  } catch {
    window.getSelection().selectAllChildren(find("curl").querySelector("pre"));
    find("copied").textContent = "Marked: press Ctrl+C.";
  }
}
