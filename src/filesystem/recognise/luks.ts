import type { BlockReader } from "../../device/index.ts";
import { describeLuks1 } from "./luks1.ts";
import { describeLuks2, findSecondLuks2, luks2Header, luksMagic } from "./luks2.ts";
import { bytesAt, nothingKnown, Remarks, type Recognised, type Recogniser } from "./recognised.ts";

export const luks: Recogniser = { first: recogniseLuks, second: recogniseSecond };

async function recogniseLuks(reader: BlockReader): Promise<Recognised | undefined> {
  const start = await bytesAt(reader, 0, luks2Header.sizeBytes);
  if (start === undefined) return undefined;
  const { magic, version } = luks2Header.decode(start);
  if (magic !== luksMagic) return undefined;
  if (version === 1) return describeLuks1(start, reader.sizeBytes);
  if (version === 2) return describeLuks2(reader, start);
  const remarks = new Remarks();
  remarks.error(`the LUKS header has version ${version}, 1 and 2 are known`);
  return nothingKnown("luks", reader, remarks);
}

async function recogniseSecond(reader: BlockReader): Promise<Recognised | undefined> {
  return (await findSecondLuks2(reader)) === undefined ? undefined : describeLuks2(reader, undefined);
}
