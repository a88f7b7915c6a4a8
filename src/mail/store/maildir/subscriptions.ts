import * as fs from "node:fs";
import { decodeModifiedUtf7, encodeModifiedUtf7 } from "../../modified-utf7.ts";
import { textIfThere } from "../text-if-there.ts";
import { tryDotlock, type LockOwner } from "./dotlock.ts";
import { folderOfMailbox, mailboxOfFolder } from "./folder-name.ts";

const header = "V\t2\n\n";
/** Dovecot's escapes within a level (docs/formats/maildir.md). */
const escapes: readonly (readonly [plain: string, escaped: string])[] = [
  ["\x01", "\x011"],
  ["\t", "\x01t"],
  ["\n", "\x01n"],
  ["\r", "\x01r"],
  ["\0", "\x010"],
];

/** The names in Dovecot's `subscriptions`, of both versions. */
export function readSubscriptions(root: string): readonly string[] {
  return parse(textIfThere(`${root}/subscriptions`));
}

/** Undefined where somebody else has the lock. The file that is given is to be synced and closed. */
export function trySubscribe(
  root: string,
  { name, isSubscribed }: { readonly name: string; readonly isSubscribed: boolean },
  owner: LockOwner,
): { readonly fd: number | undefined } | undefined {
  const file = `${root}/subscriptions`;
  using lock = tryDotlock(file, owner);
  if (lock === undefined) return undefined;
  const before = textIfThere(file);
  const names = parse(before);
  if (names.includes(name) === isSubscribed) return { fd: undefined };
  const after = isSubscribed ? [...names, name] : names.filter((other) => other !== name);
  const isOld = before !== "" && !before.startsWith(header);
  const lines = after.map((line) => `${isOld ? folderOfMailbox(line).slice(1) || line : escaped(line)}\n`);
  const temporary = `${file}.holdfast`;
  const fd = fs.openSync(temporary, "w", 0o600);
  try {
    fs.writeFileSync(fd, (isOld ? "" : header) + lines.join(""));
    fs.renameSync(temporary, file);
    return { fd };
  } catch (error) {
    fs.closeSync(fd);
    throw error;
  }
}

function parse(text: string): string[] {
  const isNew = text.startsWith(header);
  const lines = (isNew ? text.slice(header.length) : text).split("\n").filter(Boolean);
  const names = lines.flatMap((line) => {
    if (isNew) return unescaped(line);
    return line.toUpperCase() === "INBOX" ? "INBOX" : (mailboxOfFolder(`.${line}`) ?? []);
  });
  return [...new Set(names)];
}

function escaped(name: string): string {
  const levels = name.split("/").map((level) => {
    return escapes.reduce((text, [plain, to]) => text.replaceAll(plain, to), encodeModifiedUtf7(level));
  });
  return levels.join("\t");
}

function unescaped(line: string): string {
  const levels = line.split("\t").map((level) => {
    const [start = "", ...rest] = level.split("\x01");
    const plain = rest.map((text) => {
      const known = escapes.find(([, to]) => to[1] === text[0]);
      return (known?.[0] ?? "") + text.slice(1);
    });
    const encoded = start + plain.join("");
    return decodeModifiedUtf7(encoded) ?? encoded;
  });
  return levels.join("/");
}
