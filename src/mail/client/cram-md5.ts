import { createHmac } from "node:crypto";

/** RFC 2195: the answer to a challenge, in base64. */
export function cramMd5(login: {
  readonly user: string;
  readonly password: string;
  readonly challenge: Uint8Array;
}): string {
  const proof = createHmac("md5", login.password).update(login.challenge).digest("hex");
  return Buffer.from(`${login.user} ${proof}`).toString("base64");
}
