import * as net from "node:net";
import { DerCursor, derContext, derSequence, derTags } from "../../bytes/der/index.ts";
import { Failure } from "../../base/index.ts";
import type { Extension } from "./extensions.ts";
import { objectIds } from "./object-ids.ts";

/** Who a certificate is for: names of subjectAltName (RFC 5280 §4.2.1.6), as far as they matter for mail. */
export interface AltNames {
  readonly mailboxes: readonly string[];
  readonly hosts: readonly string[];
  readonly addresses: readonly string[];
}

const choices = { rfc822Name: 1, dNSName: 2, iPAddress: 7 } as const;
/** Their tags where they hold bytes. */
const tags = { rfc822Name: 0x81, dNSName: 0x82, iPAddress: 0x87 } as const;

export function mailboxExtension(mailbox: string): Extension {
  return extensionOf([derContext(choices.rfc822Name, Buffer.from(mailbox, "latin1"), { isConstructed: false })]);
}

/** Names and addresses of a server, each told from the other by how it is written. */
export function hostsExtension(hosts: readonly string[]): Extension {
  return extensionOf(
    hosts.map((host) =>
      net.isIP(host) === 0
        ? derContext(choices.dNSName, Buffer.from(host, "latin1"), { isConstructed: false })
        : derContext(choices.iPAddress, addressBytes(host), { isConstructed: false }),
    ),
  );
}

function extensionOf(names: readonly Uint8Array[]): Extension {
  return { objectId: objectIds.subjectAltName, isCritical: false, value: derSequence(...names) };
}

export function readAltNames(extension: Extension | undefined, subject: string): AltNames {
  const names = { mailboxes: [] as string[], hosts: [] as string[], addresses: [] as string[] };
  if (extension === undefined) return names;
  const list = new DerCursor(extension.value, subject).enter(derTags.sequence);
  while (!list.isAtEnd) {
    const tag = list.nextTag;
    if (tag === tags.rfc822Name) names.mailboxes.push(asciiOf(list.take(tag)));
    else if (tag === tags.dNSName) names.hosts.push(asciiOf(list.take(tag)));
    else if (tag === tags.iPAddress) names.addresses.push(addressText(list.take(tag)));
    else list.takeWhole();
  }
  return names;
}

/** What is not ASCII matches no mailbox and no host. */
export function asciiOf(bytes: Uint8Array): string {
  return bytes.every((byte) => byte > 0x20 && byte < 0x7f) ? Buffer.from(bytes).toString("latin1") : "\uFFFD";
}

/** The bytes of an address of either kind. */
export function addressBytes(address: string): Uint8Array {
  if (net.isIPv4(address)) return Uint8Array.from(address.split(".").map(Number));
  const { hostname } = new URL(`http://[${address}]`); // the shortest form, without a dotted end
  const [head = "", tail] = hostname.slice(1, -1).split("::");
  const groupsOf = (text: string): string[] => (text === "" ? [] : text.split(":"));
  const [first, last] = [groupsOf(head), groupsOf(tail ?? "")];
  const groups = [...first, ...Array.from({ length: 8 - first.length - last.length }, () => "0"), ...last];
  if (groups.length !== 8) throw new Failure("usage", `cannot understand the address "${address}"`);
  return Uint8Array.from(
    groups.flatMap((group) => [Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 0xff]),
  );
}

function addressText(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join(".");
  const groups = Array.from({ length: bytes.length / 2 }, (_, at) =>
    (((bytes[at * 2] ?? 0) << 8) | (bytes[at * 2 + 1] ?? 0)).toString(16),
  );
  return bytes.length === 16 ? new URL(`http://[${groups.join(":")}]`).hostname.slice(1, -1) : "\uFFFD";
}
