// Elements, made one by one. Whatever is handed in as text becomes text: nothing here ever reads HTML.

/** An element with these attributes and children; a child is an element or a text, and what is empty is left out. */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.flat().filter((child) => child !== "" && child !== null && child !== undefined));
  return element;
}

/** Put these children in place of all that the element holds. */
export function fill(element, ...children) {
  element.replaceChildren(...children.flat().filter((child) => child !== "" && child !== null && child !== undefined));
}

const SHOWN = new Set(["p", "ul", "ol", "li", "strong", "em", "code", "a", "h4", "blockquote", "br", "pre", "hr"]);

/** The tree that the server makes of a card's Markdown, as elements; a tag that is not among ours stays text. */
export function grown(pieces) {
  return pieces.map((piece) => {
    if (typeof piece === "string") return document.createTextNode(piece);
    const inside = grown(piece.children);
    if (!SHOWN.has(piece.tag)) return make("span", {}, inside);
    return piece.tag === "a" ? link(piece.href, inside) : make(piece.tag, {}, inside);
  });
}

/** A link to a page elsewhere, when it leads to http(s); else its words alone. */
export function link(url, ...words) {
  let safe = false;
  try {
    safe = ["http:", "https:"].includes(new URL(url).protocol);
  } catch {
    safe = false;
  }
  return safe ? make("a", { href: url, target: "_blank", rel: "noopener noreferrer" }, words) : make("span", {}, words);
}

/** "1 card", "2 cards". */
export function counted(number, one, many = `${one}s`) {
  return `${number} ${number === 1 ? one : many}`;
}

/** A UUID (version 4), also where a page came over plain http from another machine: there crypto.randomUUID is missing. */
export function uuid() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((each) => each.toString(16).padStart(2, "0")).join("");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}
