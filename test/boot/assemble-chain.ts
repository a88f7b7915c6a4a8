/** The boot code in src/boot/chain, from its source by the GNU assembler. */
import * as fs from "node:fs";
import * as path from "node:path";
import { temporaryFolder } from "../temp.ts";
import { runPeer } from "../peers/peer.ts";

const folder = path.join(import.meta.dirname, "../../src/boot/chain");
export const codePath = path.join(folder, "chain-code.ts");
export const listingPath = path.join(folder, "chain.lst");

/** What `as` makes of source text; with the text beside its bytes, numbered from 0. */
export async function assemble(source: string): Promise<{ readonly code: Buffer; readonly listing: string }> {
  await using temporary = temporaryFolder();
  const [input, object, binary] = [temporary.join("code.s"), temporary.join("code.o"), temporary.join("code.bin")];
  fs.writeFileSync(input, source);
  const words = ["--32", "-alcn", "--listing-lhs-width=2", "--listing-rhs-width=120", "-o", object, input];
  const listing = runPeer("as", words);
  runPeer("objcopy", ["-O", "binary", "-j", ".text", object, binary]);
  return { code: fs.readFileSync(binary), listing: listing.replaceAll(/[ \t]+$/gm, "") };
}

/** The two files that are made of `chain.s`. */
export async function assembleChain(): Promise<{ readonly code: string; readonly listing: string }> {
  const { code, listing } = await assemble(fs.readFileSync(path.join(folder, "chain.s"), "utf8"));
  const lines = code.toString("hex").match(/.{1,96}/g) ?? [];
  const text = `/** \`chain.s\` assembled; \`node test/boot/write-chain.ts\` writes it anew. */
export const chainCode: Uint8Array = Buffer.from(
${lines.map((line, n) => `  ${n === 0 ? "" : "  "}"${line}"`).join(" +\n")},
  "hex",
);
`;
  return { code: text, listing };
}
