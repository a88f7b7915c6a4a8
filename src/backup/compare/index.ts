export { compareBackup, type ComparedBackup } from "./compare-backup.ts";
