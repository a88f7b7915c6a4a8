export { accountsOfRc, type RcContext } from "./accounts-of-rc.ts";
export { parseRc } from "./parse-rc.ts";
export type { RcFile } from "./rc-file.ts";
export { readRc } from "./read-rc.ts";
