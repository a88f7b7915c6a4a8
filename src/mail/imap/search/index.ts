export { searchCommand } from "./search-command.ts";
export { sortCommand } from "./sort-command.ts";
export { threadCommand } from "./thread-command.ts";
