import { Failure } from "../base/index.ts";

/**
 * POSIX ACLs as text (acl(5), "ACL TEXT FORMS"), as tars hold them, from and to the kernel's xattr interface
 * (linux/posix_acl_xattr.h): u32 version 2, then u16 tag, u16 permissions and u32 id each.
 */

/** Gives the number of a user or group of this computer, undefined where there is none of that name. */
export type AccountLookup = (kind: "user" | "group", name: string) => number | undefined;

const version = 2;
const undefinedId = 0xffffffff;
const entryBytes = 8;

const userOwner = 0x01;
const namedUser = 0x02;
const owningGroup = 0x04;
const namedGroup = 0x08;
const maskTag = 0x10;
const otherTag = 0x20;

interface AclEntry {
  readonly tag: number;
  readonly permissions: number;
  readonly id: number;
}

/** From text, entries apart by commas or lines, long or short, with star's fourth field for the id. */
export function aclFromText(text: string, idOf: AccountLookup): Uint8Array {
  const entries = text
    .split(/[\n,]/)
    .map((line) =>
      line
        .replace(/#.*/, "")
        .trim()
        .replace(/^(default|d):/, ""),
    )
    .filter((line) => line !== "")
    .map((line) => parseEntry(line, idOf));
  // The kernel wants them in the order of their tags, then ids.
  entries.sort((a, b) => a.tag - b.tag || a.id - b.id);
  const value = new DataView(new ArrayBuffer(4 + entries.length * entryBytes));
  value.setUint32(0, version, true);
  entries.forEach((entry, n) => {
    value.setUint16(4 + n * entryBytes, entry.tag, true);
    value.setUint16(6 + n * entryBytes, entry.permissions, true);
    value.setUint32(8 + n * entryBytes, entry.id, true);
  });
  return new Uint8Array(value.buffer);
}

function parseEntry(line: string, idOf: AccountLookup): AclEntry {
  const [kind = "", name = "", granted = "", id] = line.split(":").map((field) => field.trim());
  const permissions = parsePermissions(kind, name, granted);
  switch (kind) {
    case "u":
    case "user":
      return name === ""
        ? { tag: userOwner, permissions, id: undefinedId }
        : { tag: namedUser, permissions, id: resolve("user", name, id, idOf) };
    case "g":
    case "group":
      return name === ""
        ? { tag: owningGroup, permissions, id: undefinedId }
        : { tag: namedGroup, permissions, id: resolve("group", name, id, idOf) };
    case "m":
    case "mask":
      return { tag: maskTag, permissions, id: undefinedId };
    case "o":
    case "other":
      return { tag: otherTag, permissions, id: undefinedId };
    default:
      throw new Failure("damaged", `its ACL has an entry "${line}"`);
  }
}

/** `other` and `mask` may stand without the empty field for a name: `other:r--`. */
function parsePermissions(kind: string, name: string, granted: string): number {
  const word = /^[om]/.test(kind) && name !== "" ? name : granted;
  const match = /^([r-])([w-])([x-])/.exec(word);
  if (match === null) throw new Failure("damaged", `its ACL grants "${word}"`);
  return (match[1] === "r" ? 4 : 0) | (match[2] === "w" ? 2 : 0) | (match[3] === "x" ? 1 : 0);
}

function resolve(kind: "user" | "group", name: string, id: string | undefined, idOf: AccountLookup): number {
  const digits = [name, id ?? ""].find((field) => /^\d{1,10}$/.test(field));
  const found = digits === undefined ? idOf(kind, name) : Number(digits);
  if (found === undefined) {
    throw new Failure("unsupported", `its ACL names the ${kind} "${name}", who is not known here`, {
      hint: `add the ${kind} to this computer, or make the tar with numbers in place of names`,
    });
  }
  if (found >= undefinedId) throw new Failure("damaged", `its ACL names the ${kind} ${found}`);
  return found;
}

/** The nine permission bits that a file with this ACL has; undefined where it lacks an entry that each must have. */
export function permissionsOfAcl(value: Uint8Array): number | undefined {
  const view = new DataView(value.buffer, value.byteOffset, value.length);
  const byTag = new Map<number, number>();
  for (let at = 4; at < value.length; at += entryBytes) {
    byTag.set(view.getUint16(at, true), view.getUint16(at + 2, true) & 7);
  }
  const owner = byTag.get(userOwner);
  const group = byTag.get(maskTag) ?? byTag.get(owningGroup);
  const other = byTag.get(otherTag);
  return owner === undefined || group === undefined || other === undefined
    ? undefined
    : (owner << 6) | (group << 3) | other;
}

const wordOfTag: Readonly<Record<number, string>> = {
  [userOwner]: "user",
  [namedUser]: "user",
  [owningGroup]: "group",
  [namedGroup]: "group",
  [maskTag]: "mask",
  [otherTag]: "other",
};

/** To text with numbers for names; undefined where the bytes are no ACL of version 2. */
export function aclToText(value: Uint8Array): string | undefined {
  if (value.length < 4 || (value.length - 4) % entryBytes !== 0) return undefined;
  const view = new DataView(value.buffer, value.byteOffset, value.length);
  if (view.getUint32(0, true) !== version) return undefined;
  let text = "";
  for (let at = 4; at < value.length; at += entryBytes) {
    const tag = view.getUint16(at, true);
    const word = wordOfTag[tag];
    const bits = view.getUint16(at + 2, true);
    if (word === undefined || bits > 7) return undefined;
    const name = tag === namedUser || tag === namedGroup ? view.getUint32(at + 4, true) : "";
    text += `${word}:${name}:${bits & 4 ? "r" : "-"}${bits & 2 ? "w" : "-"}${bits & 1 ? "x" : "-"}\n`;
  }
  return text;
}
