import assert from "node:assert/strict";
import * as fs from "node:fs";
import { after, before, suite, test } from "node:test";
import { bodyStructureText, envelopeText } from "../../src/mail/imap/fetch-text/index.ts";
import {
  binaryOf,
  parseMessage,
  partOf,
  readSection,
  sectionOf,
  type MessagePart,
  type Section,
} from "../../src/mail/message/index.ts";
import { oddMessages } from "../mail/message-corpus.ts";
import { startDovecot, skipDovecot, type Dovecot } from "./dovecot.ts";
import type { ImapTalk } from "./imap-talk.ts";
import { fetchItems, readImapValue, type ImapValue } from "./imap-value.ts";

/** Where ENVELOPE is another than Dovecot's, and why. */
const otherEnvelopes: Readonly<Record<string, string>> = {
  folded: "Dovecot leaves the blank of a folded line in front of Message-ID",
  names: "Dovecot puts blanks between words that stand side by side",
  "routes and literals": "the way through other hosts (RFC 5322 §4.4) is not kept",
  "broken addresses": "nothing between two commas is no address; after one without a comma the next one is found",
  "addresses without angles": "Dovecot takes all words for a name, or loses the host",
  "encoded words": "Dovecot parts an encoded word at its comma",
  "another charset in the header": "what is not UTF-8 is read as windows-1252 and said in UTF-8",
};
/** Where BODYSTRUCTURE is another than Dovecot's, and why. */
const otherStructures: Readonly<Record<string, string>> = {
  "parameters in pieces": "Dovecot puts those that were in pieces last",
  "parameters in pieces, one not encoded": "Dovecot does not encode it, so that it cannot be decoded",
  "careless parameters": "Dovecot stops at a parameter without value",
  "parameters with brackets": "Dovecot ends a value at brackets, and file names have them",
  "no subtype": "Dovecot gives an empty subtype; RFC 2045 §5.2 says text/plain",
  "an empty type": "Dovecot gives an empty type; RFC 2045 §5.2 says text/plain",
  "same boundary within": "Dovecot counts the line end in front of the boundary to the part",
  "careless quoted-printable": "Dovecot gives no BINARY of it",
  "quoted disposition": "Dovecot takes a quoted encoding for none",
  "message within, global": "Dovecot does not look into message/global (RFC 6532 §3.7)",
};

const skip = skipDovecot();

suite("what Dovecot says of odd messages", { skip }, () => {
  let dovecot: Dovecot;
  let talk: ImapTalk;
  const names = Object.keys(oddMessages);
  const wireOf = (name: string): Buffer => Buffer.from(oddMessages[name]!.replaceAll(/\r?\n/g, "\r\n"), "latin1");

  before(async () => {
    dovecot = await startDovecot();
    const folder = `${dovecot.home()}/Maildir/cur`;
    fs.mkdirSync(folder, { recursive: true });
    for (const [index, name] of names.entries()) {
      fs.writeFileSync(`${folder}/${1_000_000_000 + index}.M${index}.host:2,S`, wireOf(name));
    }
    talk = await dovecot.logIn();
    await talk.ok("SELECT INBOX");
  });
  after(async () => {
    await talk?.[Symbol.asyncDispose]();
    await dovecot?.[Symbol.asyncDispose]();
  });

  const fetched = async (number: number, items: string): Promise<ReadonlyMap<string, ImapValue>> => {
    const { untagged } = await talk.ok(`FETCH ${number} (${items})`);
    return fetchItems(untagged.find((response) => response.startsWith(`${number} FETCH`)) ?? "()");
  };

  for (const [index, name] of names.entries()) {
    test(name, async () => {
      const bytes = wireOf(name);
      const structure = parseMessage(bytes);
      const theirs = await fetched(index + 1, "RFC822.SIZE ENVELOPE BODYSTRUCTURE BODY");
      assert.equal(theirs.get("RFC822.SIZE"), String(bytes.length));
      const envelope = asSent(envelopeText(structure.envelope, { utf8: false }));
      assertSame(envelope, theirs.get("ENVELOPE"), otherEnvelopes[name]);

      const ours: (readonly [string, ImapValue | undefined])[] = [];
      const other: (readonly [string, ImapValue | undefined])[] = [];
      for (const item of ["BODY", "BODYSTRUCTURE"]) {
        const text = bodyStructureText(structure.root, { utf8: false, extended: item === "BODYSTRUCTURE" });
        ours.push([item, lowerCase(asSent(text))]);
        other.push([item, lowerCase(theirs.get(item))]);
      }
      for (const section of sectionsOf(structure.root)) {
        const item = sectionText(section);
        ours.push([item, sectionContent(bytes, structure.root, section)]);
        other.push([item, (await fetched(index + 1, `BODY.PEEK${item}`)).get(`BODY${item}`)]);
      }
      for (const path of pathsOf(structure.root)) {
        const part = partOf(structure.root, path)!;
        if (part.parts.length > 0) continue;
        const item = `BINARY[${path.join(".")}]`;
        const content = binaryOf(part, bytes.subarray(part.bodyOffset, part.bodyOffset + part.bodyBytes));
        ours.push([item, content === undefined ? "UNKNOWN-CTE" : Buffer.from(content).toString("latin1")]);
        const { text, untagged } = await talk.command(`FETCH ${index + 1} (BINARY.PEEK[${path.join(".")}])`);
        other.push([item, /UNKNOWN-CTE/.exec(text)?.[0] ?? fetchItems(untagged[0] ?? "()").get(item)]);
      }
      assertSame(ours, other, otherStructures[name]);
    });
  }
});

/** A difference has its reason, and what has a reason differs: so the lists stay true. */
function assertSame(ours: unknown, theirs: unknown, whyOther: string | undefined): void {
  if (whyOther === undefined) assert.deepEqual(ours, theirs);
  else assert.notDeepEqual(ours, theirs, `no longer: ${whyOther}`);
}

function asSent(text: string): ImapValue {
  return readImapValue(Buffer.from(text).toString("latin1"));
}

/** Dovecot answers with nothing for what is not there, and says NUL as 0x80, since a literal cannot have it. */
function sectionContent(bytes: Buffer, root: MessagePart, section: Section): string {
  const found = sectionOf(root, section);
  const content = found === undefined ? "" : readSection((from, to) => bytes.subarray(from, to), found);
  return Buffer.from(content).toString("latin1").replaceAll("\0", "\x80");
}

function lowerCase(value: ImapValue | undefined): ImapValue | undefined {
  if (typeof value === "string") return value.toLowerCase();
  return value === null || value === undefined ? value : value.map((each) => lowerCase(each) ?? null);
}

/** Paths of all parts, as far as they make sense. */
function pathsOf(root: MessagePart): readonly (readonly number[])[] {
  const paths: (readonly number[])[] = [];
  const visit = (path: readonly number[], part: MessagePart): void => {
    paths.push(path);
    if (part.parts.length === 0 || path.length > 4) return;
    const message = part.envelope === undefined ? part : part.parts[0]!;
    if (message.type === "multipart")
      for (const [index, each] of message.parts.entries()) visit([...path, index + 1], each);
    else visit([...path, 1], message);
  };
  if (root.type === "multipart") for (const [index, each] of root.parts.entries()) visit([index + 1], each);
  else visit([1], root);
  return paths;
}

/** Sections of all parts, and of one that is not there. */
function sectionsOf(root: MessagePart): readonly Section[] {
  const fields = ["SUBJECT", "X-Y"];
  const sections: Section[] = [
    { part: [] },
    { part: [], text: "header" },
    { part: [], text: "text" },
    { part: [], text: "fields", fields },
    { part: [], text: "fields-not", fields },
  ];
  for (const path of [...pathsOf(root), [9]]) {
    sections.push({ part: path }, { part: path, text: "mime" }, { part: path, text: "header" });
    sections.push({ part: path, text: "text" }, { part: path, text: "fields", fields });
  }
  return sections;
}

function sectionText({ part, text, fields }: Section): string {
  const words = {
    header: "HEADER",
    text: "TEXT",
    mime: "MIME",
    fields: "HEADER.FIELDS",
    "fields-not": "HEADER.FIELDS.NOT",
  };
  const word = text === undefined ? [] : [words[text]];
  return `[${[...part, ...word].join(".")}${fields === undefined ? "" : ` (${fields.join(" ")})`}]`;
}
