/** Elements whose content nobody reads. */
const unread: ReadonlySet<string> = new Set(["script", "style", "head", "title", "template", "noscript", "svg"]);
/** Elements within a line; all others part words from each other. */
const inline: ReadonlySet<string> = new Set(
  "a abbr acronym b bdi bdo big cite code del dfn em font i ins kbd label mark o:p q s samp small span strike strong sub sup tt u var wbr".split(
    " ",
  ),
);

/** The names of U+00A0 to U+00FF in order (HTML 4 §24.2). */
const latin1Names =
  "nbsp iexcl cent pound curren yen brvbar sect uml copy ordf laquo not shy reg macr deg plusmn sup2 sup3 acute micro para middot cedil sup1 ordm raquo frac14 frac12 frac34 iquest Agrave Aacute Acirc Atilde Auml Aring AElig Ccedil Egrave Eacute Ecirc Euml Igrave Iacute Icirc Iuml ETH Ntilde Ograve Oacute Ocirc Otilde Ouml times Oslash Ugrave Uacute Ucirc Uuml Yacute THORN szlig agrave aacute acirc atilde auml aring aelig ccedil egrave eacute ecirc euml igrave iacute icirc iuml eth ntilde ograve oacute ocirc otilde ouml divide oslash ugrave uacute ucirc uuml yacute thorn yuml";

/** Of the others those that are met in mail; the rest stays as it is written. */
const entities: ReadonlyMap<string, string> = new Map([
  ...latin1Names.split(" ").map((name, index) => [name, String.fromCharCode(0xa0 + index)] as const),
  ...Object.entries({
    amp: "&",
    apos: "'",
    bull: "•",
    euro: "€",
    gt: ">",
    hellip: "…",
    ldquo: "“",
    lsquo: "‘",
    lt: "<",
    mdash: "—",
    nbsp: " ",
    ndash: "–",
    oelig: "œ",
    OElig: "Œ",
    quot: '"',
    rdquo: "”",
    rsquo: "’",
    scaron: "š",
    Scaron: "Š",
    // They only say where a word may be broken, or not be joined.
    shy: "",
    trade: "™",
    zwj: "",
    zwnj: "",
  }),
]);

/** The text that a reader of HTML sees, at most about `limit` characters: tags out, entities decoded. Reads once, forwards. */
export function textOfHtml(html: string, limit = Number.POSITIVE_INFINITY): string {
  let text = "";
  let at = 0;
  const endless = new Set<string>();
  while (at < html.length && text.length < limit) {
    const open = html.indexOf("<", at);
    const end = open === -1 ? html.length : open;
    if (end > at) text += decodeEntities(html.slice(at, Math.min(end, at + limit)));
    if (open === -1) break;
    const tag = tagAt(html, open);
    if (tag === undefined) {
      text += "<";
      at = open + 1;
      continue;
    }
    at = unread.has(tag.name) ? afterElement(html, tag, endless) : tag.end;
    if (!inline.has(tag.name)) text += " ";
  }
  return text;
}

interface Tag {
  /** In lower case, without a slash; `!` for comments and declarations. */
  readonly name: string;
  readonly end: number;
}

const tagName = /<\/?([a-z][a-z0-9:-]{0,30})/iy;

function tagAt(html: string, open: number): Tag | undefined {
  if (html.startsWith("<!--", open)) return { name: "!", end: after(html, "-->", open + 4) };
  if (html[open + 1] === "!" || html[open + 1] === "?") return { name: "!", end: after(html, ">", open) };
  tagName.lastIndex = open;
  const name = tagName.exec(html)?.[1]?.toLowerCase();
  if (name === undefined) return undefined;
  const isEnd = html[open + 1] === "/";
  return { name: isEnd && unread.has(name) ? `/${name}` : name, end: after(html, ">", tagName.lastIndex) };
}

/** After the end of an element; after its beginning where it has no end, since it would hide all the rest. */
function afterElement(html: string, tag: Tag, endless: Set<string>): number {
  if (endless.has(tag.name)) return tag.end;
  const close = new RegExp(`</${tag.name}`, "gi");
  close.lastIndex = tag.end;
  if (close.exec(html) !== null) return after(html, ">", close.lastIndex);
  endless.add(tag.name);
  return tag.end;
}

function after(html: string, what: string, from: number): number {
  const found = html.indexOf(what, from);
  return found === -1 ? html.length : found + what.length;
}

function decodeEntities(text: string): string {
  if (!text.includes("&")) return text;
  return text.replaceAll(
    /&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|([a-z]{2,6}\d{0,2}))(?:;|(?![a-z0-9]))/gi,
    (whole, ...groups) => {
      const [decimal, hexadecimal, name] = groups as (string | undefined)[];
      if (name !== undefined) return entities.get(name) ?? whole;
      const code = decimal === undefined ? Number.parseInt(hexadecimal ?? "", 16) : Number(decimal);
      const isCharacter = code > 0 && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff);
      return isCharacter ? String.fromCodePoint(code) : "\ufffd";
    },
  );
}
