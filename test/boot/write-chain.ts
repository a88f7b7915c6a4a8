/** `node test/boot/write-chain.ts` assembles src/boot/chain/chain.s anew: its bytes and its listing. */
import * as fs from "node:fs";
import { assembleChain, codePath, listingPath } from "./assemble-chain.ts";

const { code, listing } = await assembleChain();
fs.writeFileSync(codePath, code);
fs.writeFileSync(listingPath, listing);
