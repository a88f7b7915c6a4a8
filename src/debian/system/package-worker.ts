import { parentPort } from "node:worker_threads";
import { Failure } from "../../base/index.ts";
import { readDeb } from "../../tree/index.ts";
import type { ReadAnswer } from "./read-packages.ts";

/** One of the threads that decompress packages: each message is the path of one. */
parentPort?.on("message", (path: string) => {
  void answer(path).then(({ said, owned }) => parentPort?.postMessage(said, owned));
});

async function answer(path: string): Promise<{ readonly said: ReadAnswer; readonly owned: ArrayBuffer[] }> {
  try {
    const contents = await readDeb(path);
    return { said: { contents }, owned: [contents.control.buffer, contents.data.buffer] };
  } catch (error) {
    if (error instanceof Failure) {
      const { code, message, hint } = error; // a Failure loses its class on the way
      return { said: { failure: { code, message, hint } }, owned: [] };
    }
    return { said: { failure: { code: undefined, message: String(error), hint: undefined } }, owned: [] };
  }
}
