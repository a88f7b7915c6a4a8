import { Failure } from "../../../base/index.ts";
import type { Setting, Settings } from "./rc-file.ts";

/** What fetchmail has and this program has not, with what to do instead. */
const unsupported: ReadonlyMap<string, string> = new Map([
  ["qvirtual", "it belongs to mailboxes for several users; fetch from a mailbox of one user each"],
  ["aka", "it belongs to mailboxes for several users; fetch from a mailbox of one user each"],
  ["localdomains", "it belongs to mailboxes for several users; fetch from a mailbox of one user each"],
  ["envelope", "it belongs to mailboxes for several users; fetch from a mailbox of one user each"],
  ["checkalias", "it belongs to mailboxes for several users; fetch from a mailbox of one user each"],
  ["fetchdomains", "it belongs to ETRN and ODMR; fetch by POP3 or IMAP"],
  ["interface", "have preconnect look whether the network is there: its status decides"],
  ["monitor", "have preconnect look whether the network is there: its status decides"],
  ["plugin", "have preconnect open a tunnel, and name its end with via and port"],
  ["plugout", "have mda run a program that takes the mail"],
  ["principal", "Kerberos is not spoken; use a client certificate"],
  ["mimedecode", "messages are kept as they are; every mail program decodes them"],
  ["antispam", "have the receiving server answer for what it does not want"],
  ["bsmtp", 'write mda "cat >>FILE", or --deliver mbox:FILE'],
]);

/** Flags of which only one value is followed. */
const onlyNegated: ReadonlyMap<string, string> = new Map([
  ["spambounce", "nothing is ever bounced; what is not taken stays on the server"],
  ["rewrite", "addresses are kept as they are; leave it out or write no rewrite"],
]);

/** Throws for the first option that would not be followed. */
export function refuseUnsupported(path: string, ...all: readonly Settings[]): void {
  for (const settings of all) {
    for (const [name, setting] of settings) {
      const hint = setting.value === false ? undefined : (unsupported.get(name) ?? onlyNegated.get(name));
      if (hint !== undefined) throw refusal(path, setting, hint);
      if (name === "softbounce" && setting.value === false) {
        throw refusal(path, { ...setting, word: "no softbounce" }, "what is not taken is never deleted; leave it out");
      }
    }
  }
}

function refusal(path: string, { line, word }: Setting, hint: string): Failure {
  return new Failure(
    "unsupported",
    `cannot follow "${path}": line ${line}: "${word}" is not one of this program's options`,
    { hint },
  );
}
