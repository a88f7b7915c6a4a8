import { parentPort, workerData } from "node:worker_threads";
import { packInPlace, PartPacker, type PackRequest } from "./pack-part.ts";
import { packingOf, type PackedAs } from "./packing.ts";

export interface PackWorkerData {
  readonly packedAs: PackedAs;
  readonly level: number | undefined;
}

const { packedAs, level } = workerData as PackWorkerData;
const packer = new PartPacker(packingOf(packedAs, level));

/** One of the threads that pack: each message is a part, answered in the same order with its packed length. */
let last: Promise<void> = Promise.resolve();
parentPort?.on("message", (request: PackRequest) => {
  last = last.then(async () => parentPort?.postMessage(await packInPlace(packer, request)));
});
