import { Failure, type JobOptions } from "../base/index.ts";
import { configuredText } from "../debian/index.ts";
import { runDisk } from "./run-disk.ts";

const memoryBytes = 2 ** 30;
const cpus = 2;
const limitMs = 40 * 60_000;
const shownLines = 15;

/** Starts a system that was only made, in a virtual machine without a network, until its packages are configured. */
export async function configureDebian(path: string, env: NodeJS.ProcessEnv, job: JobOptions): Promise<void> {
  let said = "";
  try {
    await runDisk(
      {
        path,
        snapshot: false,
        secureBoot: false,
        memoryBytes,
        cpus,
        window: false,
        accelerate: true,
        inTerminal: false,
        until: configuredText,
        timeLimitMs: limitMs,
        env,
      },
      {
        ...job,
        onSerial: async (bytes) => {
          said = (said + Buffer.from(bytes).toString("latin1")).slice(-4000);
          job.onProgress?.({ phase: "configuring", doneBytes: 0 });
        },
      },
    );
  } catch (error) {
    if (!(error instanceof Failure) || error.code !== "failed") throw error;
    const lines = said.replaceAll("\r", "").split("\n").slice(-shownLines).join("\n");
    throw new Failure(
      "failed",
      `cannot configure the system beforehand: it has not come to its end, and said:\n${lines}`,
      {
        hint: "leave --configure out: the system then does it when it first starts",
        cause: error,
      },
    );
  }
}
