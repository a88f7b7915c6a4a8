import type { BlockReader } from "../device/index.ts";
import { recognise } from "../filesystem/index.ts";

/** Why what a device holds is not looked into, for after the colon of a failure. */
export async function whyNotRead(reader: BlockReader): Promise<string> {
  const found = await recognise(reader);
  if (found === undefined) return "it holds no file system that is known";
  if (found.whyNotRead !== undefined) return `it is ${found.kind}, and ${found.whyNotRead}`;
  return `it is ${found.kind}, which this program recognises but does not read`;
}
