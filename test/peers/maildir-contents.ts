import assert from "node:assert/strict";
import type { MailStore } from "../../src/mail/store/index.ts";
import type { ImapTalk } from "./imap-talk.ts";

/** What a mailbox has: UIDVALIDITY, then each message's UID, flags, date and subject. */
export type Contents = readonly string[];

export async function asDovecotSees(talk: ImapTalk, name: string): Promise<Contents> {
  const selected = await talk.ok(`EXAMINE "${name}"`);
  const validity = /UIDVALIDITY (\d+)/.exec(selected.untagged.join("\n"))?.[1];
  const fetch = "UID FETCH 1:* (UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[HEADER.FIELDS (SUBJECT)])";
  const { untagged } = await talk.ok(fetch);
  const messages = untagged.flatMap((response): [number, string][] => {
    const [, uid] = /UID (\d+)/.exec(response) ?? [];
    if (uid === undefined) return [];
    const [, flags = ""] = /FLAGS \(([^)]*)\)/.exec(response) ?? [];
    const [, date = ""] = /INTERNALDATE "([^"]*)"/.exec(response) ?? [];
    const [, subject = ""] = /Subject: (.*)\r\n/.exec(response) ?? [];
    const [, size = ""] = /RFC822.SIZE (\d+)/.exec(response) ?? [];
    const kept = flags.split(" ").filter((flag) => flag !== "\\Recent" && flag !== "");
    return [[Number(uid), `${uid} ${kept.sort().join(" ")} ${Date.parse(date)} ${size} ${subject}`]];
  });
  return [`validity ${validity}`, ...messages.sort(([a], [b]) => a - b).map(([, line]) => line)];
}

export function asHoldfastSees(store: MailStore, name: string): Contents {
  using mailbox = store.open(name, { isReadOnly: false });
  const messages = mailbox.messages.map(({ uid, flags, receivedMs: date, sizeBytes }) => {
    using content = mailbox.content(uid);
    const [, subject = ""] = /Subject: (.*)\r\n/.exec(Buffer.from(content.read()).toString("latin1")) ?? [];
    assert.equal(content.read().length, sizeBytes);
    return `${uid} ${flags.join(" ")} ${date} ${sizeBytes} ${subject}`;
  });
  return [`validity ${mailbox.uidValidity}`, ...messages];
}
