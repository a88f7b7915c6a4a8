/** `disk create --boot` with an MBR that has aligned partitions. */
import { testDisksThatStart } from "./boot-disks.ts";

testDisksThatStart({ table: "mbr" });
