export { parsePartialRange, partialOf, type PartialRange } from "./partial-range.ts";
export { searchCommand } from "./search-command.ts";
export { sortCommand } from "./sort-command.ts";
export { threadCommand } from "./thread-command.ts";
