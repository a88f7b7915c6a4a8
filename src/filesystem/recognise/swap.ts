import { bytes, Struct, u32, u32be, uuid } from "../../bytes/index.ts";
import type { BlockReader } from "../../device/index.ts";
import { bytesAt, paddedText, Remarks, uuidOrNone, type Recognised, type Recogniser } from "./recognised.ts";

/** Where the header stands in the first page, whatever the size of that. */
export const swapHeaderAt = 1024;

/** linux/swap.h, union swap_header. */
export const swapHeader = new Struct("swap header", 44, {
  version: [0, u32],
  lastPage: [4, u32],
  badPages: [8, u32],
  uuid: [12, uuid],
  label: [28, bytes(16)],
});

/** The same as a big-endian machine writes it. */
export const swapHeaderBigEndian = new Struct("big-endian swap header", 44, {
  version: [0, u32be],
  lastPage: [4, u32be],
  badPages: [8, u32be],
});

const signatureBytes = 10;
const pageSizes = [4096, 8192, 16_384, 32_768, 65_536];

/** What stands at the end of the first page, as Latin-1 without its NUL. */
export const swapSignature = "SWAPSPACE2";
const swapSignatures: ReadonlySet<string> = new Set([swapSignature, "SWAP-SPACE"]);
const hibernatedBy: ReadonlyMap<string, string> = new Map([
  ["S1SUSPEND", "the kernel"],
  ["S2SUSPEND", "the kernel"],
  ["ULSUSPEND", "uswsusp"],
  ["LINHIB0001", "the kernel"],
  ["\u00ed\u00c3\u0002\u00e9\u0098V\u00e5\u000c", "TuxOnIce"],
]);

export const swap: Recogniser = { first: recogniseSwap };

async function recogniseSwap(reader: BlockReader): Promise<Recognised | undefined> {
  for (const pageBytes of pageSizes) {
    const raw = await bytesAt(reader, pageBytes - signatureBytes, signatureBytes);
    if (raw === undefined) return undefined;
    const signature = Buffer.from(raw).toString("latin1").replace(/\0+$/, "");
    const maker = hibernatedBy.get(signature);
    if (maker === undefined && !swapSignatures.has(signature)) continue;
    const page = await bytesAt(reader, 0, pageBytes);
    if (page !== undefined) return described(page, { signature, maker, deviceBytes: reader.sizeBytes });
  }
  return undefined;
}

interface FoundSwap {
  readonly signature: string;
  /** Who put a sleeping machine into it. */
  readonly maker: string | undefined;
  readonly deviceBytes: number;
}

function described(page: Uint8Array, { signature, maker, deviceBytes }: FoundSwap): Recognised {
  const remarks = new Remarks();
  const little = swapHeader.decode(page, swapHeaderAt);
  const big = swapHeaderBigEndian.decode(page, swapHeaderAt);
  const isOld = signature === "SWAP-SPACE"; // whose header is a bitmap
  const isBig = !isOld && little.version !== 1 && big.version === 1;
  if (!isOld && little.version !== 1 && !isBig)
    remarks.error(`the swap header has version ${little.version}, 1 is known`);
  const { lastPage, badPages } = isBig ? big : little;
  const hasHeader = !isOld && (little.version === 1 || isBig);
  const sizeBytes = hasHeader ? (lastPage + 1) * page.length : deviceBytes;
  if (isBig) remarks.note("swap of a big-endian machine");
  if (isOld) remarks.note("swap of the old kind, which Linux 2.6 and later do not use");
  if (hasHeader && badPages > 0) remarks.note(`${badPages} pages are bad`);
  if (maker !== undefined) remarks.note(`hibernated: a sleeping machine is in it (by ${maker})`);
  return {
    kind: "swap",
    label: isOld ? "" : paddedText(little.label),
    uuid: isOld ? undefined : uuidOrNone(little.uuid),
    sizeBytes,
    blockSizeBytes: page.length,
    usedBytes: maker === undefined ? 0 : sizeBytes,
    freeBytes: maker === undefined ? sizeBytes : 0,
    features: [],
    ...remarks.told,
  };
}
