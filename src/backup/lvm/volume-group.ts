import { Failure } from "../../base/index.ts";
import { parseConfig, type Section } from "./config-text.ts";

/** What vgcfgbackup has of a volume group. */
export interface VolumeGroup {
  readonly name: string;
  readonly physical: readonly PhysicalVolume[];
  readonly logical: readonly LogicalVolume[];
  /** All of it as LVM keeps it on disks, where the group comes first. */
  readonly text: string;
}

export interface PhysicalVolume {
  /** `tPEEL0-dKjy-aoqx-vyoF-sBz2-w2n1-A7TImC` */
  readonly id: string;
  readonly deviceBytes: number;
  /** Where its first extent is. */
  readonly dataAt: number;
  /** Where its last extent ends. */
  readonly endAt: number;
}

export interface LogicalVolume {
  readonly name: string;
  readonly sizeBytes: number;
  readonly stretches: readonly Stretch[];
}

/** Bytes of a logical volume that follow one another on a physical one. */
export interface Stretch {
  /** In the logical volume. */
  readonly at: number;
  readonly lengthBytes: number;
  /** The id of the physical volume. */
  readonly on: string;
  readonly from: number;
}

const sectorBytes = 512;
/** Each takes some memory: of stripes of 64 KiB they come to 64 GiB. */
const stretchLimit = 1_000_000;

/** Understands what vgcfgbackup wrote of a group. Throws `damaged`, and `unsupported` of what is more than stripes. */
export function readVolumeGroup(text: string, name: string): VolumeGroup {
  const group = parseConfig(text).sections.get(name);
  if (group === undefined) throw new Failure("damaged", `LVM's description has no group "${name}"`);
  const extentBytes = numberOf(group, "extent_size") * sectorBytes;
  const physical = new Map<string, PhysicalVolume>();
  for (const [label, section] of sectionsOf(group, "physical_volumes")) {
    const dataAt = numberOf(section, "pe_start") * sectorBytes;
    const endAt = dataAt + numberOf(section, "pe_count") * extentBytes;
    const deviceBytes = numberOf(section, "dev_size") * sectorBytes;
    if (endAt > deviceBytes) throw new Failure("damaged", `${label} of the LVM group ${name} passes its own end`);
    physical.set(label, { id: textOf(section, "id"), deviceBytes, dataAt, endAt });
  }
  const logical = [...sectionsOf(group, "logical_volumes")].map(([lv, section]) => {
    return readLogical(lv, section, { physical, extentBytes });
  });
  return { name, physical: [...physical.values()], logical, text: onDisk(text, name) };
}

/** vgcfgbackup writes what made the text in front of the group, LVM behind it. */
function onDisk(text: string, name: string): string {
  const start = text.startsWith(`${name} {`) ? 0 : text.indexOf(`\n${name} {`) + 1;
  const notes = text.slice(0, start).replace(/^#.*$/gm, "").trim();
  return `${text.slice(start).trimEnd()}\n${notes}\n`;
}

interface Ground {
  readonly physical: ReadonlyMap<string, PhysicalVolume>;
  readonly extentBytes: number;
}

function readLogical(name: string, section: Section, ground: Ground): LogicalVolume {
  const stretches: Stretch[] = [];
  for (let n = 1; n <= numberOf(section, "segment_count"); n++) {
    const segment = section.sections.get(`segment${n}`);
    if (segment === undefined) throw new Failure("damaged", `the LVM volume ${name} has no segment ${n}`);
    const type = textOf(segment, "type");
    if (type !== "striped") {
      throw new Failure("unsupported", `the LVM volume ${name} is of type "${type}", linear and striped are known`);
    }
    stretches.push(...stretchesOf(name, segment, ground));
    if (stretches.length > stretchLimit)
      throw new Failure("unsupported", `the LVM volume ${name} has too many stripes`);
  }
  const sizeBytes = stretches.reduce((most, { at, lengthBytes }) => Math.max(most, at + lengthBytes), 0);
  return { name, sizeBytes, stretches };
}

function* stretchesOf(name: string, segment: Section, { physical, extentBytes }: Ground): Generator<Stretch> {
  const start = numberOf(segment, "start_extent") * extentBytes;
  const lengthBytes = numberOf(segment, "extent_count") * extentBytes;
  const count = numberOf(segment, "stripe_count");
  const places = segment.values.get("stripes");
  if (!Array.isArray(places) || places.length !== 2 * count || count === 0) {
    throw new Failure("damaged", `the LVM volume ${name} does not tell where its stripes are`);
  }
  const stripeBytes = count === 1 ? lengthBytes : numberOf(segment, "stripe_size") * sectorBytes;
  if (stripeBytes <= 0) throw new Failure("damaged", `the LVM volume ${name} has stripes without a size`);
  for (let done = 0, n = 0; done < lengthBytes; done += stripeBytes, n++) {
    const [label, extent] = [places[2 * (n % count)], places[2 * (n % count) + 1]] as readonly unknown[];
    const on = physical.get(String(label));
    if (on === undefined || typeof extent !== "number") {
      throw new Failure("damaged", `the LVM volume ${name} is on "${String(label)}", which is not told of`);
    }
    const from = on.dataAt + extent * extentBytes + Math.floor(n / count) * stripeBytes;
    const length = Math.min(stripeBytes, lengthBytes - done);
    if (from + length > on.endAt)
      throw new Failure("damaged", `the LVM volume ${name} passes the end of "${String(label)}"`);
    yield { at: start + done, lengthBytes: length, on: on.id, from };
  }
}

function sectionsOf(section: Section, name: string): ReadonlyMap<string, Section> {
  return section.sections.get(name)?.sections ?? new Map<string, Section>();
}

function numberOf({ values }: Section, name: string): number {
  const value = values.get(name);
  if (typeof value === "number" && value >= 0 && value < 2 ** 40) return value;
  throw new Failure("damaged", `LVM's description does not tell ${name}`);
}

function textOf({ values }: Section, name: string): string {
  const value = values.get(name);
  if (typeof value === "string") return value;
  throw new Failure("damaged", `LVM's description does not tell ${name}`);
}
