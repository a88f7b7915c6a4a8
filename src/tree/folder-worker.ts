import { parentPort } from "node:worker_threads";
import { scanFolders, type ScanRequest } from "./folder-scan.ts";

/** One of the threads of a folder source: each message is a request, answered in the same order. */
parentPort?.on("message", (request: ScanRequest) => {
  const result = scanFolders(request);
  parentPort?.postMessage(result, [result.columns.buffer]);
});
