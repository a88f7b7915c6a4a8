import { Failure, stopIfAborted } from "../../base/index.ts";
import { formatSize } from "../../bytes/index.ts";
import { hasData } from "../clonezilla/index.ts";
import { packingOf, PartPacker, type Part } from "../packed/index.ts";
import type { BackupStore } from "../store/index.ts";
import type { KeptSave } from "./kept-log.ts";
import type { Source } from "./open-source.ts";
import { expectedBytes, largestPartBytes, planVolume } from "./plan-volume.ts";
import type { SaveOptions, SaveRequest } from "./request.ts";

/** Tables, lists and what a store itself takes. */
const besidesBytes = 4 * 1024 * 1024;
/** So many parts of each partition are packed to see what becomes of them. */
const samplesOfPartition = 12;

/**
 * Throws `no-space` where a backup does not fit, as far as that can be told before: where it would not fit uncompressed,
 * parts from all over the disk are packed to see how much smaller they become.
 */
export async function checkRoom(
  source: Source,
  store: BackupStore,
  {
    kept,
    request,
    options,
  }: { readonly kept: KeptSave | undefined; readonly request: SaveRequest; readonly options: SaveOptions },
): Promise<void> {
  const freeBytes = await store.freeBytes();
  if (freeBytes === undefined) return;
  const keptBytes = (kept?.parts ?? [])
    .flatMap(({ volumes }) => volumes)
    .reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  const roomBytes = freeBytes + keptBytes;
  const usedBytes = source.volumes.reduce((sum, volume) => sum + expectedBytes(volume), 0);
  if (usedBytes + besidesBytes <= roomBytes) return;
  options.onProgress?.({ phase: "estimating", doneBytes: 0 });
  const neededBytes = Math.ceil(await estimate(source, request, options)) + besidesBytes;
  if (neededBytes <= roomBytes) return;
  throw new Failure(
    "no-space",
    `cannot save "${request.source}" into "${store.name}": about ${formatSize(neededBytes)} are needed, ${formatSize(roomBytes)} are free`,
    { hint: "make room there; or --ignore-room begins all the same, and --resume goes on once there is room" },
  );
}

/** What the data of all partitions comes to, packed. */
async function estimate(source: Source, request: SaveRequest, { signal }: SaveOptions): Promise<number> {
  const { isUnchecked, packedAs, level } = request;
  const packer = new PartPacker(packingOf(packedAs, level));
  let neededBytes = 0;
  for (const volume of source.volumes) {
    if (volume.content === undefined || !hasData(volume)) continue;
    const planned = await planVolume(volume, volume.content, { isUnchecked, unreadable: source.unreadable });
    const step = Math.max(1, Math.floor(planned.usedBytes / largestPartBytes / samplesOfPartition));
    let [n, wholeBytes, plainBytes, packedBytes] = [0, 0, 0, 0];
    for (const part of planned.parts()) {
      stopIfAborted(signal);
      wholeBytes += part.lengthBytes;
      if (n++ % step !== Math.floor(step / 2)) continue;
      plainBytes += part.lengthBytes;
      packedBytes += await packedLength(packer, part);
    }
    neededBytes += plainBytes === 0 ? 0 : (wholeBytes * packedBytes) / plainBytes;
  }
  return neededBytes;
}

async function packedLength(packer: PartPacker, { lengthBytes, fill, sealed = [] }: Part): Promise<number> {
  const bytes = Buffer.allocUnsafeSlow(lengthBytes);
  await fill(bytes);
  return (await packer.pack(bytes, sealed)).packed.length;
}
