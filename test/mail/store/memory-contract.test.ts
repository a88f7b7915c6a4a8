import { MemoryMail } from "../memory-store.ts";
import { storeContract } from "./contract.ts";

storeContract("in memory", async () => {
  const mail = new MemoryMail();
  return { open: () => mail.store(), async [Symbol.asyncDispose]() {} };
});
