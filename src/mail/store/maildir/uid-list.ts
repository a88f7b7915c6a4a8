/** The text of `dovecot-uidlist`, version 3 (docs/formats/maildir.md). */
export interface UidListHeader {
  readonly uidValidity: number;
  readonly nextUid: number;
  /** 32 hexadecimal digits. */
  readonly guid: string | undefined;
  /** What others have put there, each with its key. */
  readonly others: readonly string[];
}

export interface UidListEntry {
  readonly uid: number;
  readonly base: string;
  /** Each with its key, as `G1796064126.M897007P8599.host`. */
  readonly extensions: readonly string[];
}

/** RFC 9051 §2.3.1.1: 32 bits; Dovecot keeps the last for itself. */
const uidLimit = 0xffff_fffe;

export function formatHeader({ uidValidity, nextUid, guid, others }: UidListHeader): string {
  const parts = [`3 V${uidValidity} N${nextUid}`, ...(guid === undefined ? [] : [`G${guid}`]), ...others];
  return `${parts.join(" ")}\n`;
}

export function formatEntry({ uid, base, extensions }: UidListEntry): string {
  return `${[uid, ...extensions, `:${base}`].join(" ")}\n`;
}

/** Undefined for what is not one, of version 1 or 3. */
export function parseHeader(line: string): UidListHeader | undefined {
  const old = /^1 (\d+) (\d+)$/.exec(line);
  if (old !== null)
    return checkedHeader({ uidValidity: Number(old[1]), nextUid: Number(old[2]), guid: undefined, others: [] });
  if (!line.startsWith("3 ")) return undefined;
  const parts = line.slice(2).split(" ").filter(Boolean);
  const value = (key: string): string | undefined => parts.find((part) => part.startsWith(key))?.slice(1);
  const guid = value("G");
  return checkedHeader({
    uidValidity: Number(value("V")),
    nextUid: Number(value("N")),
    guid: guid !== undefined && /^[0-9a-f]{32}$/.test(guid) ? guid : undefined,
    others: parts.filter((part) => !/^[VNG]/.test(part)),
  });
}

function checkedHeader(header: UidListHeader): UidListHeader | undefined {
  const isValid = [header.uidValidity, header.nextUid].every((value) => {
    return Number.isInteger(value) && value > 0 && value <= uidLimit + 1;
  });
  return isValid ? header : undefined;
}

/** Undefined for a line that cannot be one. */
export function parseEntry(line: string): UidListEntry | undefined {
  const space = line.indexOf(" ");
  const uid = Number(line.slice(0, space));
  if (space < 0 || !Number.isInteger(uid) || uid < 1 || uid > uidLimit) return undefined;
  let rest = line.slice(space + 1);
  let extensions: readonly string[] = [];
  if (!rest.startsWith(":")) {
    const end = rest.indexOf(" :");
    // Version 1 has the name alone.
    if (end >= 0) {
      extensions = rest
        .slice(0, end)
        .split(" ")
        .filter((part) => /^[A-Z]/.test(part));
      rest = rest.slice(end + 1);
    }
  }
  const name = rest.startsWith(":") ? rest.slice(1) : rest;
  const colon = name.indexOf(":");
  const base = colon < 0 ? name : name.slice(0, colon);
  return base === "" || base.includes("/") || base.startsWith(".") ? undefined : { uid, base, extensions };
}

/** The value of an extension. */
export function extensionOf(entry: UidListEntry, key: string): string | undefined {
  return entry.extensions.find((part) => part.startsWith(key))?.slice(1);
}
