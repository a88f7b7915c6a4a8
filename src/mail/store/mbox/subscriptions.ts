import * as fs from "node:fs";
import { decodeModifiedUtf7 } from "../../modified-utf7.ts";
import { textIfThere } from "../text-if-there.ts";
import { tryDotlock } from "./dotlock.ts";

const header = "V\t2\n\n";

/** Names in Dovecot's `.subscriptions`, of both versions (docs/formats/mbox.md). */
export function readSubscriptions(file: string): readonly string[] {
  const text = textIfThere(file);
  const isNew = text.startsWith(header);
  const lines = (isNew ? text.slice(header.length) : text).split("\n").filter(Boolean);
  return [...new Set(lines.map((line) => (isNew ? line.replaceAll("\t", "/") : (decodeModifiedUtf7(line) ?? line))))];
}

/** False where another program has the list locked. */
export function trySubscribe(
  file: string,
  { name, isSubscribed, nowMs }: { readonly name: string; readonly isSubscribed: boolean; readonly nowMs: number },
): boolean {
  const lock = tryDotlock(file, { nowMs });
  if (lock === "held") return false;
  using held = lock === "not-allowed" ? undefined : lock;
  void held;
  const before = readSubscriptions(file);
  if (before.includes(name) === isSubscribed) return true;
  const after = isSubscribed ? [...before, name] : before.filter((other) => other !== name);
  const text = header + after.map((line) => `${line.replaceAll("/", "\t")}\n`).join("");
  // Its end keeps Dovecot from taking it for a mailbox.
  fs.writeFileSync(`${file}.holdfast.lock`, text, { mode: 0o600, flush: true });
  fs.renameSync(`${file}.holdfast.lock`, file);
  return true;
}
