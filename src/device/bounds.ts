import { Failure } from "../base/index.ts";

/** Throws the failure of an access that passes the end of `what`. */
export function refuseOutside(what: string, sizeBytes: number, at: number, lengthBytes: number): void {
  if (at >= 0 && at + lengthBytes <= sizeBytes) return;
  throw new Failure(
    "damaged",
    `cannot reach byte ${at} of "${what}": it ends at ${sizeBytes}, ${lengthBytes} bytes are needed there`,
  );
}
