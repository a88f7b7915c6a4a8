export { isNtfsclone, readNtfscloneBlocks, readNtfscloneHead } from "./read-stream.ts";
