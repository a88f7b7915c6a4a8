export { unpackLznt1 } from "./lznt1.ts";
export { unpackLzx } from "./lzx.ts";
export { unpackXpress } from "./xpress.ts";
