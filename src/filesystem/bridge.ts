import { Failure } from "../base/index.ts";
import type { BlockReader } from "../device/index.ts";
import { hasRockRidge, probeIso } from "./iso/index.ts";
import { probeUdf } from "./udf/index.ts";

/**
 * Whether a device is to be read as UDF. A disc can be ISO 9660 as well (a "bridge"). Then ISO 9660 is read where it
 * has Rock Ridge: only that has the owners, modes and links of who made it. Else UDF: the other trees have
 * shortened names, nothing above 4 GiB, and on the installation discs of Windows but a note that one should
 * read UDF.
 */
export async function isReadAsUdf(reader: BlockReader): Promise<boolean> {
  if (!(await probeUdf(reader))) return false;
  if (!(await probeIso(reader))) return true;
  try {
    return !(await hasRockRidge(reader));
  } catch (error) {
    if (error instanceof Failure) return true; // torn: the other may be whole
    throw error;
  }
}
