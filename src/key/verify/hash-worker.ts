import { parentPort, workerData } from "node:worker_threads";
import { startHashing, type HashResult, type HashTask } from "./hash-task.ts";

/** What a thread is started with. */
export interface HashWorkerData {
  readonly tasks: readonly HashTask[];
  /** Slots of `slotBytes` each, which the other side fills. */
  readonly ring: SharedArrayBuffer;
  readonly slotBytes: number;
}

/** Bytes of the file in a slot, or the end of the file. */
export type HashWorkerMessage =
  | { readonly slot: number; readonly at: number; readonly lengthBytes: number }
  | { readonly sizeBytes: number };

/** A slot that may be filled anew, or all results. */
export type HashWorkerAnswer = { readonly slot: number } | { readonly results: readonly HashResult[] };

const zeros = new Uint8Array(1024 * 1024);

/** One of the threads of `FileHasher`: what no message covers are zeros. */
function serve({ tasks, ring, slotBytes }: HashWorkerData, answer: (answer: HashWorkerAnswer) => void): void {
  const hashings = tasks.map(startHashing);
  let position = 0;
  const update = (bytes: Uint8Array): void => {
    for (const hashing of hashings) hashing.update(position, bytes);
    position += bytes.length;
  };
  const fillUpTo = (end: number): void => {
    for (let left = end - position; left > 0; left -= zeros.length) update(zeros.subarray(0, left));
  };
  parentPort?.on("message", (message: HashWorkerMessage) => {
    if ("sizeBytes" in message) {
      fillUpTo(message.sizeBytes);
      answer({ results: hashings.map((hashing) => hashing.result()) });
      return;
    }
    fillUpTo(message.at);
    update(new Uint8Array(ring, message.slot * slotBytes, message.lengthBytes));
    answer({ slot: message.slot });
  });
}

if (parentPort !== null) serve(workerData as HashWorkerData, (answer) => parentPort?.postMessage(answer));
