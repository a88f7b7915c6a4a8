import * as net from "node:net";
import { derContext, DerCursor, derSequence, derTags } from "../../bytes/der/index.ts";
import { addressBytes, asciiOf, type AltNames } from "./alt-names.ts";
import type { Extension } from "./extensions.ts";
import { objectIds } from "./object-ids.ts";

/** For which names an authority may issue (RFC 5280 §4.2.1.10). A kind of names without a list is free. */
export interface NameConstraints {
  readonly permitted: NameTrees;
  readonly excluded: NameTrees;
}

interface NameTrees {
  /** `example.org`: its mailboxes; `.example.org`: those of the domains below; `joe@example.org`. */
  readonly mailboxes: readonly string[];
  /** `example.org`: that host and all below. */
  readonly hosts: readonly string[];
  /** An address and a mask behind it. */
  readonly addresses: readonly Uint8Array[];
}

/** Names of one's own, for which alone an authority is to issue. */
export interface OwnNames {
  readonly domains: readonly string[];
  /** Names and addresses of servers. */
  readonly hosts: readonly string[];
}

const tags = { mailbox: 0x81, host: 0x82, address: 0x87 } as const;
const everyAddress: readonly Uint8Array[] = [new Uint8Array(8), new Uint8Array(32)];

/** Permits mailboxes of the domains, hosts in and below them, and the hosts and addresses named; nothing else. */
export function constraintsExtension({ domains, hosts }: OwnNames): Extension {
  const names = [...new Set([...domains, ...hosts.filter((host) => net.isIP(host) === 0)])];
  const addresses = hosts
    .filter((host) => net.isIP(host) !== 0)
    .map((host) => Buffer.concat(withMask(addressBytes(host))));
  const missing = everyAddress.filter((all) => !addresses.some((one) => one.length === all.length));
  const permitted = [
    ...domains.map((domain) => subtree(tags.mailbox, Buffer.from(domain, "latin1"))),
    ...names.map((name) => subtree(tags.host, Buffer.from(name, "latin1"))),
    ...addresses.map((address) => subtree(tags.address, address)),
  ];
  // A kind of address of which none is permitted would be free.
  const excluded = missing.map((all) => subtree(tags.address, all));
  return {
    objectId: objectIds.nameConstraints,
    isCritical: true,
    value: derSequence(
      derContext(0, Buffer.concat(permitted)),
      ...(excluded.length === 0 ? [] : [derContext(1, Buffer.concat(excluded))]),
    ),
  };
}

function withMask(address: Uint8Array): [Uint8Array, Uint8Array] {
  return [address, new Uint8Array(address.length).fill(0xff)];
}

function subtree(tag: number, base: Uint8Array): Uint8Array {
  return derSequence(derContext(tag - 0x80, base, { isConstructed: false }));
}

/** What an extension says; undefined where it says something about names that are not known here. */
export function readConstraints(extension: Extension, subject: string): NameConstraints | undefined {
  const whole = new DerCursor(extension.value, subject).enter(derTags.sequence);
  const permitted = readTrees(whole.enterIf(derTags.firstOfContext));
  const excluded = readTrees(whole.enterIf(derTags.firstOfContext + 1));
  return permitted === undefined || excluded === undefined ? undefined : { permitted, excluded };
}

function readTrees(list: DerCursor | undefined): NameTrees | undefined {
  const trees = { mailboxes: [] as string[], hosts: [] as string[], addresses: [] as Uint8Array[] };
  if (list === undefined) return trees;
  while (!list.isAtEnd) {
    const tree = list.enter(derTags.sequence);
    const tag = tree.nextTag;
    if (tag === tags.mailbox) trees.mailboxes.push(asciiOf(tree.take(tag)).toLowerCase());
    else if (tag === tags.host) trees.hosts.push(asciiOf(tree.take(tag)).toLowerCase());
    else if (tag === tags.address) trees.addresses.push(tree.take(tag));
    else return undefined;
    if (!tree.isAtEnd) return undefined; // a depth, which RFC 5280 forbids
  }
  return trees;
}

/** The first of some names that is not permitted, or undefined. */
export function forbiddenName(names: AltNames, { permitted, excluded }: NameConstraints): string | undefined {
  const find = <Tree>(
    list: readonly string[],
    trees: { readonly only: readonly Tree[]; readonly not: readonly Tree[] },
    isIn: (name: string, tree: Tree) => boolean,
  ): string | undefined =>
    list.find((name) => {
      const isFree = trees.only.length === 0 || trees.only.some((tree) => isIn(name, tree));
      return !isFree || trees.not.some((tree) => isIn(name, tree));
    });
  return (
    find(names.mailboxes, { only: permitted.mailboxes, not: excluded.mailboxes }, isMailboxIn) ??
    find(names.hosts, { only: permitted.hosts, not: excluded.hosts }, isHostIn) ??
    find(names.addresses, { only: permitted.addresses, not: excluded.addresses }, isAddressIn)
  );
}

function isMailboxIn(mailbox: string, tree: string): boolean {
  const name = mailbox.toLowerCase();
  if (tree.includes("@")) return name === tree;
  const domain = name.slice(name.lastIndexOf("@") + 1);
  return tree.startsWith(".") ? domain.endsWith(tree) : domain === tree;
}

function isHostIn(host: string, tree: string): boolean {
  const name = host.toLowerCase();
  return tree === "" || name === tree || name.endsWith(tree.startsWith(".") ? tree : `.${tree}`);
}

function isAddressIn(address: string, tree: Uint8Array): boolean {
  const bytes = net.isIP(address) === 0 ? new Uint8Array() : addressBytes(address);
  if (tree.length !== bytes.length * 2) return false;
  return bytes.every((byte, at) => {
    const mask = tree[bytes.length + at] ?? 0;
    return (byte & mask) === ((tree[at] ?? 0) & mask);
  });
}
