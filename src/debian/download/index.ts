export { createBeside } from "./beside.ts";
export { downloadFile, type KnownFile } from "./download-file.ts";
export { FetchFailure, shownUrl } from "./fetch-failure.ts";
export { fetchSmall } from "./fetch-small.ts";
export { writeFailure } from "./part-file.ts";
export type { RetrySettings } from "./retry.ts";
export { Transport } from "./transport.ts";
