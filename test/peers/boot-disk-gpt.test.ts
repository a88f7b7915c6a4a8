/** `disk create --boot` with a GPT. */
import { testDisksThatStart } from "./boot-disks.ts";

testDisksThatStart({ table: "gpt" });
