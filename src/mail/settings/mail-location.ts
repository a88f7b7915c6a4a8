import * as path from "node:path";
import { Failure } from "../../base/index.ts";

/** Where one user's mail is. Paths are absolute. */
export type MailLocation =
  | { readonly kind: "maildir"; readonly folder: string }
  | { readonly kind: "mbox"; readonly folder: string; readonly inbox: string; readonly index?: string };

export interface NamedUser {
  /** `joe@example.org`. */
  readonly user: string;
  readonly home: string;
}

/** What follows the folder, as Dovecot's `mail_location` has it. */
const optionNames = ["INBOX", "INDEX"];

/**
 * What Dovecot's `mail_location` means for one user: `maildir:~/Maildir`, `mbox:~/mail:INBOX=/var/spool/mail/%n`. %u is
 * the user, %n and %d what is before and behind the `@`, %h the home; `%L` before the letter makes lower case, `%%` is a
 * percent sign. Throws a `usage` failure for what means nothing.
 */
export function expandLocation(location: string, user: NamedUser): MailLocation {
  const [kind = "", folder = "", ...options] = location.split(":");
  if (kind !== "maildir" && kind !== "mbox") throw badLocation(location, "it begins with neither maildir: nor mbox:");
  if (folder === "") throw badLocation(location, "it names no folder");
  const absolute = (text: string): string => {
    const expanded = expandVariables(text, user);
    if (expanded !== "~" && !expanded.startsWith("~/") && !path.isAbsolute(expanded)) {
      throw badLocation(location, `"${text}" is neither absolute nor in the home (~/)`);
    }
    return path.normalize(expanded.replace(/^~(?=\/|$)/, () => user.home));
  };
  const values = new Map<string, string>();
  for (const option of options) {
    const [name = "", ...rest] = option.split("=");
    if (!optionNames.includes(name) || rest.length === 0) {
      throw badLocation(location, `"${option}" is not known here; there can be ${optionNames.join(", ")}`);
    }
    values.set(name, absolute(rest.join("=")));
  }
  const root = absolute(folder);
  if (kind === "maildir") {
    if (values.size > 0) throw badLocation(location, `${[...values.keys()].join(", ")} is for mbox only`);
    return { kind, folder: root };
  }
  const index = values.get("INDEX");
  const inbox = values.get("INBOX") ?? path.join(root, "inbox");
  return { kind, folder: root, inbox, ...(index === undefined ? {} : { index }) };
}

/** Replaces %u, %n, %d and %h. */
export function expandVariables(text: string, { user, home }: NamedUser): string {
  const at = user.lastIndexOf("@");
  const [name, domain] = at === -1 ? [user, ""] : [user.slice(0, at), user.slice(at + 1)];
  // Names come from the outside: what would lead to another folder is not one.
  for (const part of [name, domain]) {
    if (part.includes("/") || part.includes("\0") || part === "." || part === "..") {
      throw new Failure("refused", `cannot find the mail of "${user}": a user's name has no such characters`);
    }
  }
  const values: Readonly<Record<string, string>> = { u: user, n: name, d: domain, h: home, "%": "%" };
  return text.replace(/%(L?)([^L]|$)/g, (whole, lower: string, letter: string) => {
    const value = values[letter];
    if (value === undefined) throw badLocation(text, `${whole} means nothing; %u, %n, %d and %h do`);
    return lower === "" ? value : value.toLowerCase();
  });
}

function badLocation(location: string, why: string): Failure {
  return new Failure("usage", `cannot understand the place "${location}": ${why}`, {
    hint: "write maildir:~/Maildir, or mbox:~/mail:INBOX=/var/spool/mail/%n",
  });
}
