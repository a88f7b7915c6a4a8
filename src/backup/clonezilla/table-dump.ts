import { Failure } from "../../base/index.ts";
import {
  mbrTypeCode,
  type GptPlan,
  type MbrPlan,
  type PartitionTable,
  type PlannedMbrPartition,
  type TablePlan,
} from "../../partition/index.ts";
import { partitionName, partitionNumber } from "./names.ts";

/** A partition table in the words of `sfdisk -d`, of disks with sectors of 512 bytes. */
export interface TableDump {
  readonly kind: "mbr" | "gpt";
  /** As the table has it: `0x1234abcd`, or a GUID. */
  readonly diskId: string | undefined;
  readonly firstLba?: number;
  readonly entryCount?: number;
  /** By number. */
  readonly partitions: readonly DumpedPartition[];
}

export interface DumpedPartition {
  readonly number: number;
  readonly startLba: number;
  readonly sectorCount: number;
  /** An MBR code in hexadecimal, or a GUID. */
  readonly type: string;
  readonly active: boolean;
  readonly guid?: string;
  readonly label?: string;
  readonly attributes: bigint;
}

const sectorBytes = 512;
const usualEntryCount = 128;
const entryCountLimit = 8192;
const partitionLimit = 8192;
const extendedTypes: ReadonlySet<number> = new Set([0x05, 0x0f, 0x85]);

/** In their order: UEFI 2.10 table 5.8; bits 48 to 63 are the partition type's own. */
const attributeNames = ["RequiredPartition", "NoBlockIOProtocol", "LegacyBIOSBootable"];
const firstOwnBit = 48;

/** What `sfdisk -d` prints of a disk of that name. */
export function dumpText(table: PartitionTable, disk: string): string {
  const { gpt } = table;
  const head = [
    `label: ${table.kind === "gpt" ? "gpt" : "dos"}`,
    `label-id: ${table.diskId}`,
    `device: /dev/${disk}`,
    "unit: sectors",
    ...(gpt === undefined ? [] : [`first-lba: ${gpt.firstUsableLba}`, `last-lba: ${gpt.lastUsableLba}`]),
    ...(gpt === undefined || gpt.entryCount === usualEntryCount ? [] : [`table-length: ${gpt.entryCount}`]),
    `sector-size: ${table.sectorSizeBytes}`,
    ...(table.partitions.length === 0 ? [] : [""]),
  ];
  const lines = table.partitions.map((partition) => {
    const { number, startBytes, sizeBytes, typeCode, guid, label, attributes, active } = partition;
    const column = (bytes: number): string => String(bytes / table.sectorSizeBytes).padStart(12);
    const attrs = attributeText(attributes);
    return [
      `/dev/${partitionName(disk, number)} : start=${column(startBytes)}`,
      `size=${column(sizeBytes)}`,
      `type=${typeof typeCode === "number" ? typeCode.toString(16) : typeCode}`,
      ...(guid === undefined ? [] : [`uuid=${guid}`]),
      ...(label === undefined || label === "" ? [] : [`name="${quoted(label)}"`]),
      ...(table.kind === "gpt" && attrs !== "" ? [`attrs="${attrs}"`] : []),
      ...(table.kind === "mbr" && active ? ["bootable"] : []),
    ].join(", ");
  });
  return [...head, ...lines, ""].join("\n");
}

/** util-linux writes bytes in hexadecimal that a shell would take for its own, or that are not ASCII. */
function quoted(text: string): string {
  const isPlain = (byte: number): boolean => byte >= 0x20 && byte < 0x7f && !escapedBytes.has(byte);
  return [...Buffer.from(text)]
    .map((byte) => (isPlain(byte) ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, "0")}`))
    .join("");
}

const escapedBytes: ReadonlySet<number> = new Set(Buffer.from('"\\`$'));

function unquoted(text: string): string {
  const bytes = Buffer.from(text).toString("latin1");
  const plain = bytes.replace(/\\x([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(plain, "latin1").toString();
}

function attributeText(attributes: bigint): string {
  const named = attributeNames.filter((_, bit) => (attributes & (1n << BigInt(bit))) !== 0n);
  const own = Array.from({ length: 64 - firstOwnBit }, (_, n) => n + firstOwnBit).filter((bit) => {
    return (attributes & (1n << BigInt(bit))) !== 0n;
  });
  return [...named, ...(own.length === 0 ? [] : [`GUID:${own.join(",")}`])].join(" ");
}

function attributesFrom(text: string): bigint {
  let attributes = 0n;
  for (const word of text.split(/\s+/)) {
    const bit = attributeNames.indexOf(word);
    if (bit >= 0) attributes |= 1n << BigInt(bit);
    const numbers = /^(?:GUID:)?(\d+(?:,\d+)*)$/.exec(word)?.[1]?.split(",") ?? [];
    for (const number of numbers) if (Number(number) < 64) attributes |= 1n << BigInt(number);
  }
  return attributes;
}

/** Understands what `sfdisk -d` printed, of old (before 2.26) and today. Throws `damaged`, `unsupported`. */
export function parseDump(text: string, disk: string): TableDump {
  const head = new Map<string, string>();
  const partitions: DumpedPartition[] = [];
  for (const line of text.split("\n").map((raw) => raw.trim())) {
    const entry = /^\/dev\/(\S+)\s*:\s*(.+)$/.exec(line);
    if (entry !== null) {
      const partition = partitionFrom(entry[2] ?? "", partitionNumber(disk, (entry[1] ?? "").replaceAll("/", "-")));
      if (partition !== undefined) partitions.push(partition);
      continue;
    }
    const [, key, value] = /^([a-z-]+):\s*(.*)$/.exec(line) ?? [];
    if (key !== undefined && value !== undefined) head.set(key, value);
  }
  if (head.get("unit") !== "sectors") throw damagedDump(disk, "it does not count in sectors");
  if (Number(head.get("sector-size") ?? sectorBytes) !== sectorBytes) {
    throw new Failure("unsupported", `cannot read the table of ${disk}: its sectors are not of 512 bytes`, {
      hint: "single partitions are restored by their names",
    });
  }
  if (partitions.length > partitionLimit) throw damagedDump(disk, "it has too many partitions");
  const numbers = new Set(partitions.map(({ number }) => number));
  if (numbers.size < partitions.length) throw damagedDump(disk, "a partition is in it twice");
  const kind = kindOf(head.get("label"), partitions, disk);
  const [firstLba, entryCount] = [head.get("first-lba"), head.get("table-length")].map((value) => {
    return value === undefined ? undefined : wholeNumber(value, disk);
  });
  if (entryCount !== undefined && entryCount > entryCountLimit) throw damagedDump(disk, "it has too many entries");
  const diskId = head.get("label-id");
  if (diskId !== undefined && !idForms[kind].test(diskId)) throw damagedDump(disk, `"${diskId}" is no id of a disk`);
  for (const partition of partitions) refuseImpossible(partition, { kind, disk, entryCount });
  return {
    kind,
    diskId,
    ...(firstLba === undefined ? {} : { firstLba }),
    ...(entryCount === undefined ? {} : { entryCount }),
    partitions: partitions.toSorted((a, b) => a.number - b.number),
  };
}

const guidForm = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const idForms = { gpt: guidForm, mbr: /^0x[0-9a-f]{1,8}$/i };
const mbrTypeForm = /^[0-9a-f]{1,2}$/i;
const labelLimit = 36;

function refuseImpossible(
  { number, type, guid, label = "", startLba, sectorCount }: DumpedPartition,
  table: { readonly kind: "mbr" | "gpt"; readonly disk: string; readonly entryCount: number | undefined },
): void {
  const { kind, disk, entryCount = usualEntryCount } = table;
  const isTypeRight = (kind === "gpt" ? guidForm : mbrTypeForm).test(type);
  const isGuidRight = kind === "mbr" || (guid !== undefined && guidForm.test(guid));
  const isPlaceRight = startLba > 0 && (kind === "gpt" || startLba + sectorCount <= 2 ** 32);
  const isNumberRight = kind === "mbr" || number <= entryCount;
  if (isTypeRight && isGuidRight && isPlaceRight && isNumberRight && label.length <= labelLimit) return;
  throw damagedDump(disk, `partition ${number} cannot be what it says`);
}

function kindOf(label: string | undefined, partitions: readonly DumpedPartition[], disk: string): "mbr" | "gpt" {
  if (label === "gpt") return "gpt";
  if (label !== undefined && label !== "dos") {
    throw new Failure(
      "unsupported",
      `cannot read the table of ${disk}: it is of kind "${label}", gpt and dos are read`,
    );
  }
  if (!partitions.some(({ type }) => type.toLowerCase() === "ee")) return "mbr";
  throw new Failure(
    "unsupported",
    `cannot read the table of ${disk}: it is a GPT that an sfdisk without GPT has dumped`,
  );
}

/** An empty slot gives nothing. */
function partitionFrom(text: string, number: number | undefined): DumpedPartition | undefined {
  const words = new Map<string, string>();
  for (const match of text.matchAll(/([A-Za-z]+)=\s*(?:"([^"]*)"|([^,\s]+))|bootable/g)) {
    words.set((match[1] ?? "bootable").toLowerCase(), match[2] ?? match[3] ?? "");
  }
  const [startLba, sectorCount] = [words.get("start"), words.get("size")].map((value) =>
    wholeNumber(value ?? "", text),
  );
  const type = words.get("type") ?? words.get("id");
  if (startLba === undefined || sectorCount === undefined || type === undefined)
    throw damagedDump(text, "words are missing");
  if (sectorCount === 0) return undefined;
  if (number === undefined || number < 1) throw damagedDump(text, "it is a partition of another disk");
  const [guid, label] = [words.get("uuid"), words.get("name")];
  return {
    number,
    startLba,
    sectorCount,
    type,
    active: words.has("bootable"),
    ...(guid === undefined ? {} : { guid }),
    ...(label === undefined ? {} : { label: unquoted(label) }),
    attributes: attributesFrom(words.get("attrs") ?? ""),
  };
}

function wholeNumber(text: string, of: string): number {
  const value = /^\d{1,15}$/.test(text) ? Number(text) : NaN;
  if (Number.isSafeInteger(value * sectorBytes)) return value;
  throw damagedDump(of, `"${text}" is no number of sectors`);
}

function damagedDump(what: string, why: string): Failure {
  return new Failure("damaged", `cannot read the partition table of "${what}": ${why}`);
}

export function isExtended({ type }: DumpedPartition, kind: "mbr" | "gpt"): boolean {
  return kind === "mbr" && extendedTypes.has(mbrTypeCode(type));
}

/** The table for a disk of that size. Throws `no-space` where a partition passes its end. */
export function planFromDump(dump: TableDump, sizeBytes: number): TablePlan {
  const diskSectors = Math.floor(sizeBytes / sectorBytes);
  const behind = dump.kind === "gpt" ? 1 + tableSectors(dump) : 0;
  const end = Math.max(0, ...dump.partitions.map(({ startLba, sectorCount }) => startLba + sectorCount));
  if (end + behind > diskSectors) {
    throw new Failure(
      "no-space",
      `cannot make the table: it needs ${(end + behind) * sectorBytes} bytes, there are ${sizeBytes}`,
    );
  }
  return dump.kind === "gpt" ? gptPlan(dump, sizeBytes) : mbrPlan(dump, sizeBytes);
}

/** The last sector that partitions of a table may have on a disk of that size. */
export function lastSectorFor(dump: TableDump, sizeBytes: number): number {
  const diskSectors = Math.floor(sizeBytes / sectorBytes);
  return dump.kind === "gpt" ? diskSectors - 2 - tableSectors(dump) : Math.min(diskSectors, 2 ** 32) - 1;
}

function tableSectors({ entryCount = usualEntryCount }: TableDump): number {
  return Math.ceil((entryCount * 128) / sectorBytes);
}

function gptPlan(dump: TableDump, sizeBytes: number): GptPlan {
  const { diskId = "", partitions, entryCount = usualEntryCount } = dump;
  if (diskId === "") throw damagedDump("the disk", "it has no GUID");
  return {
    kind: "gpt",
    sizeBytes,
    diskGuid: diskId.toUpperCase(),
    entryCount,
    firstUsableLba: dump.firstLba ?? 2 + tableSectors(dump),
    lastUsableLba: Math.floor(sizeBytes / sectorBytes) - 2 - tableSectors(dump),
    partitions: partitions.map(({ number, startLba, sectorCount, type, guid = "", label = "", attributes, active }) => {
      return { number, startLba, sectorCount, typeCode: type.toUpperCase(), guid, label, attributes, active };
    }),
  };
}

function mbrPlan(dump: TableDump, sizeBytes: number): MbrPlan {
  const extended = dump.partitions.find((partition) => isExtended(partition, "mbr") && partition.number <= 4);
  const planned = (partition: DumpedPartition): PlannedMbrPartition => {
    const { number, startLba, sectorCount, active, type } = partition;
    return { number, startLba, sectorCount, active, typeCode: mbrTypeCode(type) };
  };
  const logical = dump.partitions.filter(({ number }) => number > 4);
  if (logical.length > 0 && extended === undefined)
    throw damagedDump("the disk", "it has logical partitions in no extended one");
  const leadSectors = (logical[0]?.startLba ?? 0) - (extended?.startLba ?? 0);
  return {
    kind: "mbr",
    sizeBytes,
    geometry: { heads: 255, sectors: 63 },
    diskSignature: Number.parseInt(dump.diskId ?? "0", 16) >>> 0,
    partitions: dump.partitions
      .filter((partition) => partition !== extended)
      .map((partition) => {
        if (partition.number <= 4) return planned(partition);
        return { ...planned(partition), recordLba: recordLba(partition, logical, { extended, leadSectors }) };
      }),
    ...(extended === undefined ? {} : { extended: planned(extended) }),
  };
}

/** sfdisk does not tell where boot records are: as far before each as the first one is, where there is room. */
function recordLba(
  partition: DumpedPartition,
  logical: readonly DumpedPartition[],
  { extended, leadSectors }: { readonly extended: DumpedPartition | undefined; readonly leadSectors: number },
): number {
  if (partition === logical[0]) return extended?.startLba ?? 0;
  const before = logical.filter(({ startLba }) => startLba < partition.startLba);
  const end = Math.max(
    (extended?.startLba ?? 0) + 1,
    ...before.map(({ startLba, sectorCount }) => startLba + sectorCount),
  );
  const record = Math.max(end, partition.startLba - leadSectors);
  if (record < partition.startLba) return record;
  throw damagedDump("the disk", `there is no room for the boot record of partition ${partition.number}`);
}
