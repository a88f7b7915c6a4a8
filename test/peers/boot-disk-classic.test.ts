/** `disk create --boot` with an MBR whose first partition is at byte 32256, as before 2008. */
import { testDisksThatStart } from "./boot-disks.ts";

testDisksThatStart({ table: "mbr", layout: "classic" });
