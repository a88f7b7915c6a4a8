export type { DirectoryItem, Extent, FileStat, FileSystem, FileSystemInfo, Problem } from "./file-system.ts";
