import type { Remarks } from "./recognised.ts";

/** Where the encrypted data is. */
interface Payload {
  readonly startBytes: number;
  /** Absent where it goes to the end of the device. */
  readonly sizeBytes: number | undefined;
  readonly sectorBytes: number;
}

/** What the JSON area of a LUKS2 header says (LUKS2 On-Disk Format Specification 1.1.3 §3). */
export interface Luks2Metadata {
  /** From the first segment to the end of the last; undefined where they make no sense. */
  readonly payload: Payload | undefined;
  readonly cipher: string | undefined;
  readonly keySlotCount: number;
  /** Marks that an older program must not overlook: `online-reencrypt-v2`. */
  readonly requirements: readonly string[];
}

/** Reads the JSON area. What is wrong with it is told as a problem. */
export function readLuks2Metadata(json: string, remarks: Remarks): Luks2Metadata {
  const root = parsed(json);
  if (root === undefined) {
    remarks.error("the metadata of LUKS2 is no JSON object");
    return { payload: undefined, cipher: undefined, keySlotCount: 0, requirements: [] };
  }
  const segments = membersOf(root["segments"]).filter((segment) => !isBackup(segment));
  const payload = payloadOf(segments);
  if (payload === undefined) remarks.error("the metadata of LUKS2 does not say where the data is");
  const [first] = segments;
  const ciphers = [first?.["encryption"], asObject(first?.["integrity"])?.["type"]];
  const named = ciphers.filter((name) => typeof name === "string");
  const mandatory = asObject(asObject(root["config"])?.["requirements"])?.["mandatory"];
  return {
    payload,
    cipher: named.length === 0 ? undefined : named.join(" with "),
    keySlotCount: membersOf(root["keyslots"]).filter(({ type }) => type === "luks2").length,
    requirements: Array.isArray(mandatory) ? mandatory.filter((one) => typeof one === "string") : [],
  };
}

type JsonObject = Readonly<Record<string, unknown>>;

function parsed(json: string): JsonObject | undefined {
  try {
    return asObject(JSON.parse(json));
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function asObject(value: unknown): JsonObject | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as JsonObject) : undefined;
}

function membersOf(value: unknown): JsonObject[] {
  return Object.values(asObject(value) ?? {})
    .map(asObject)
    .filter((member) => member !== undefined);
}

/** A segment as it was or will be, kept while the disk is encrypted anew. */
function isBackup({ flags }: JsonObject): boolean {
  return Array.isArray(flags) && flags.some((flag) => typeof flag === "string" && flag.startsWith("backup-"));
}

function payloadOf(segments: readonly JsonObject[]): Payload | undefined {
  let startBytes = Number.POSITIVE_INFINITY;
  let endBytes: number | undefined = 0;
  let sectorBytes = 512;
  for (const segment of segments) {
    const offset = countOf(segment["offset"]);
    if (offset === undefined) return undefined;
    startBytes = Math.min(startBytes, offset);
    const size = segment["size"] === "dynamic" ? "dynamic" : countOf(segment["size"]);
    if (size === undefined) return undefined;
    endBytes = size === "dynamic" || endBytes === undefined ? undefined : Math.max(endBytes, offset + size);
    if (typeof segment["sector_size"] === "number") sectorBytes = segment["sector_size"];
  }
  if (segments.length === 0) return undefined;
  return { startBytes, sizeBytes: endBytes === undefined ? undefined : endBytes - startBytes, sectorBytes };
}

/** Counts of 64 bits are strings of digits (§3.1). */
function countOf(value: unknown): number | undefined {
  if (typeof value !== "string" || !/^\d{1,19}$/.test(value)) return undefined;
  return Number(value);
}
