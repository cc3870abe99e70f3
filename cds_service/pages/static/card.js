// Cards as an EHR shows them.

import { fill, grown, link, make } from "./elements.js";

const WORDS = { critical: "Stop", warning: "Warning", info: "Note" };

/** Show these cards. `onAccept`, `onOverride`: what to do then; `onWhy(card)`: what shows its reasons, if anything. */
export function showCards(place, cards, details, { onAccept, onOverride, onWhy }) {
  if (!cards.length) {
    fill(place, make("p", { class: "panel silent" },
      make("strong", {}, "No card."), " Looked, and nothing to say. What was checked stands under Reasons."));
    return;
  }
  fill(place, cards.map((card, index) => one(card, details[index] ?? [], { onAccept, onOverride, onWhy })));
}

function one(card, detail, { onAccept, onOverride, onWhy }) {
  const done = make("p", { class: "done small", role: "status" });
  const kind = WORDS[card.indicator] ? card.indicator : "info";
  return make("article", { class: `card ${kind}` },
    make("h3", {}, make("span", { class: `tag ${kind}` }, WORDS[kind]), " ", card.summary),
    make("div", { class: "detail" }, grown(detail)),
    suggestions(card, onAccept),
    overrides(card, done, onOverride),
    (card.links ?? []).length ? make("ul", { class: "links small" },
      card.links.map((each) => make("li", {}, link(each.url, each.label)))) : "",
    make("p", { class: "source small quiet" }, "Source: ", link(card.source?.url ?? "", card.source?.label ?? ""), " ",
      onWhy(card) ? make("button", { type: "button", class: "small", onclick: onWhy(card) }, "Its reasons") : ""),
    done,
  );
}

function suggestions(card, onAccept) {
  const each = card.suggestions ?? [];
  if (!each.length) return "";
  const choose = card.selectionBehavior === "at-most-one" && each.length > 1 ? "Choose one:" : "To accept:";
  return make("div", { class: "suggestions" }, make("span", { class: "small quiet" }, choose),
    each.map((suggestion) =>
      make("button", { type: "button", class: "main", onclick: () => onAccept(card, suggestion) }, suggestion.label)));
}

function overrides(card, done, onOverride) {
  const reasons = card.overrideReasons ?? [];
  if (!reasons.length) return "";
  const select = make("select", { "aria-label": `Why this card is overridden: ${card.summary}` },
    make("option", { value: "" }, "Override because …"),
    reasons.map((reason, index) => make("option", { value: index }, reason.display)));
  select.addEventListener("change", async () => {
    if (select.value === "") return;
    const reason = reasons[Number(select.value)];
    done.textContent = `Overridden: ${reason.display}. ${await onOverride(card, reason)}`;
    select.closest(".card").classList.add("overridden");
  });
  return make("div", { class: "override" }, select);
}
